-- Before key-auth: what Kong would take otherwise than the contract has it.
local names = { ["x-api-key"] = true, ["apikey"] = true }
local limit = 65536
local shared = kong.ctx.shared
local request, service = kong.request, kong.service.request

-- key-auth writes the query anew when it hides a key: hide.lua puts it back as it was.
shared.query = request.get_raw_query()

local function refuse(status, detail)
  shared.detail = detail
  return kong.response.exit(status, { message = detail })
end

-- Kong matches a path with its dots resolved, its slashes merged and its escapes decoded. The contract knows it as it was
-- sent, so that none has a second name. An id alone may be written otherwise: its function says what it thinks of that.
local function around_id(path)
  local before, after = path:match("^(/[^/]*/[^/]*/)[^/]+(.*)$")
  return before and before .. after or path
end
if around_id(request.get_raw_path()) ~= around_id(request.get_path()) then
  return refuse(404, "there is nothing at this path")
end

for name in pairs(request.get_query(1000)) do
  if names[name:lower()] then
    return refuse(401, "the key belongs in the header x-api-key, not in the query")
  end
end

if not shared.trace_given then
  service.set_header("traceparent", "00-" .. shared.trace_id .. "-" .. shared.trace_id:sub(17) .. "-01")
  service.clear_header("tracestate")
end

local sent_keys = {}
for name in pairs(names) do
  local key = request.get_header(name)
  if key then
    shared.keyed = true
    if key ~= "" then sent_keys[#sent_keys + 1] = key end
  end
end

-- The key in a JSON body. key-auth's own key_in_body parses each body and writes it anew, which rounds numbers, loses the
-- order of keys and fails on what is no object; here one member is cut out of the text, and every other byte stays.
local space = "[ \t\r\n]*"

-- Index behind the string that opens at `at`.
local function string_end(text, at)
  local from = at + 1
  while true do
    local found = text:find('["\\]', from)
    if not found then return nil end
    if text:sub(found, found) == '"' then return found + 1 end
    from = found + 2
  end
end

-- Index of the comma or brace that ends the value which begins at `at`.
local function value_end(text, at)
  local depth = 0
  while true do
    at = text:find('["{}%[%],]', at)
    if not at then return nil end
    local sign = text:sub(at, at)
    if sign == '"' then
      at = string_end(text, at)
      if not at then return nil end
    else
      if depth == 0 and (sign == "," or sign == "}") then return at end
      if sign == "{" or sign == "[" then depth = depth + 1 end
      if sign == "}" or sign == "]" then depth = depth - 1 end
      at = at + 1
    end
  end
end

-- What a string stands for, as far as names and keys can go.
local function plain(text)
  return (text:gsub("\\u00([0-7]%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- The body without the members of these names, and the value of the last that is a string; nothing of what is no object.
local function take(text)
  local at = text:match("^" .. space .. "{()") or text:match("^\239\187\191" .. space .. "{()")
  local head, kept, key, found = at, nil, nil, false
  while at do
    local name_at = text:match("^" .. space .. '()"', at)
    local name_end = name_at and string_end(text, name_at)
    local colon = name_end and text:match("^" .. space .. ":()", name_end)
    local stop = colon and value_end(text, colon)
    if not stop then return nil end
    if names[plain(text:sub(name_at + 1, name_end - 2))] then
      found = true
      local value = text:sub(colon, stop - 1):match("^" .. space .. '"(.*)"' .. space .. "$")
      key = value and plain(value) or key
    else
      local member = text:sub(at, stop - 1)
      kept = kept and kept .. "," .. member or member
    end
    if text:sub(stop, stop) == "}" then
      if text:find("[^ \t\r\n]", stop + 1) then return nil end
      if not found then return text end
      return text:sub(1, head - 1) .. (kept or "") .. text:sub(stop), key
    end
    at = stop + 1
  end
end

local media = (request.get_header("content-type") or ""):lower():match("^%s*([^%s;]*)")
local length = tonumber(request.get_header("content-length") or 0)
local sent = request.get_header("transfer-encoding") or (length and length > 0 and length <= limit)
local json = media == "application/json" or media == "application/merge-patch+json"

-- In a body that is no JSON object, which its function refuses or does not look at, something else stands for the key.
local function without_keys(body)
  for _, key in ipairs(sent_keys) do
    body = body:gsub(key:gsub("%W", "%%%0"), ("*"):rep(#key))
  end
  return body
end

if sent and (json or #sent_keys > 0) then
  local body = request.get_raw_body() or ""
  local rest, key
  if json then rest, key = take(body) end
  rest = rest or without_keys(body)
  if rest ~= body then service.set_raw_body(rest) end
  if key and not shared.keyed then
    shared.keyed = true
    service.set_header("x-api-key", key)
  end
end
