-- The trace of a request, as shared/tracing.ts reads it: the client's where its traceparent is valid, else one that has
-- the id under which Kong itself knows the request.
local shared = kong.ctx.shared
if not shared.trace_id then
  local sent = kong.request.get_header("traceparent") or ""
  local version, trace, span, rest =
    sent:match("^([0-9a-f][0-9a-f])%-([0-9a-f]+)%-([0-9a-f]+)%-[0-9a-f][0-9a-f](.*)$")
  shared.trace_given = trace ~= nil and version ~= "ff" and #trace == 32 and #span == 16
    and trace:find("[^0]") ~= nil and span:find("[^0]") ~= nil and (rest == "" or rest:sub(1, 1) == "-")
  shared.trace_id = shared.trace_given and trace or ngx.var.kong_request_id
end
