-- Whatever refuses a request, Kong's plugins, its router, nginx below it or a proxy behind it: clients get problem details
-- (RFC 9457) as shared/http/problem.ts makes them. Functions answer with their own.
local status = kong.response.get_status()
if status == 204 then
  -- Kong says 0 of an answer of its own that has none.
  kong.response.clear_header("Content-Length")
end
local media = kong.response.get_header("Content-Type") or ""
if status < 400 or media:find("application/problem+json", 1, true) == 1 then
  return
end

-- request-size-limiting says 417 to who waits for a 100, and nginx 494 to large headers.
local same = { [417] = 413, [494] = 431 }
if same[status] then
  status = same[status]
  kong.response.set_status(status)
end

local shared = kong.ctx.shared
local missing = shared.keyed and "this key is not known" or "the header x-api-key is missing"
local known = {
  [400] = { "malformed", "Malformed request", "this is not HTTP" },
  [401] = { "unauthorized", "Missing or wrong key", missing },
  [404] = { "not_found", "Not found", "there is nothing at this path" },
  [405] = { "method_not_allowed", "Method not allowed", "this path does not have this method" },
  [413] = { "payload_too_large", "Payload too large", "a body may have 64 KB" },
  [429] = { "too_many_requests", "Too many requests", "there were too many requests with this key" },
  [500] = { "internal", "Internal error" },
  [502] = { "bad_gateway", "Bad gateway", "the function ended before it had answered" },
  [503] = { "unavailable", "Service unavailable", "the function could not be started" },
  [504] = { "deadline_exceeded", "Deadline exceeded", "the function did not answer in time" },
}
local problem = known[status] or known[status < 500 and 400 or 500]
local code, title, detail = problem[1], problem[2], problem[3]
if status == 408 then detail = "the request did not come in time" end
if status == 414 or status == 431 then detail = "the headers are too large" end
detail = shared.detail or detail

-- Texts of ours alone, which need no escapes.
shared.problem = '{"type":"about:blank","title":"' .. title .. '","status":' .. status
  .. (detail and ',"detail":"' .. detail .. '"' or "")
  .. ',"code":"' .. code .. '","trace_id":"' .. shared.trace_id .. '"}'
kong.response.set_header("Content-Type", "application/problem+json")
kong.response.set_header("Content-Length", #shared.problem)
kong.response.set_header("Cache-Control", "no-store")
kong.response.clear_header("Content-Encoding")
if status == 401 then
  kong.response.set_header("WWW-Authenticate", 'Key realm="registrar"')
end
if (status == 429 or status == 503) and not kong.response.get_header("Retry-After") then
  -- Requests are counted by the minute; rate-limiting tells nothing with its own headers hidden.
  local second = os and os.time() % 60 or 0
  kong.response.set_header("Retry-After", status == 429 and 60 - second or 1)
end
