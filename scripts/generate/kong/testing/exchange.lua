-- Plays Kong for the scripts of kong/lua: the calls of its PDK that they use, as Kong 3.9 documents and implements them,
-- the globals of its sandbox and no others, and key-auth between them. Reads Lua tables on stdin, one a line: the scripts,
-- then exchanges, and for those that say of no answer what the function answered. Writes a line of JSON for each.
local function read()
  local line = io.read("*l")
  return line and assert(loadstring("return " .. line))()
end
local scripts = read()

-- What every version of the sandbox has.
local function sandbox(kong, ngx)
  return {
    kong = kong, ngx = ngx, assert = assert, error = error, ipairs = ipairs, next = next, pairs = pairs,
    pcall = pcall, select = select, tonumber = tonumber, tostring = tostring, type = type, unpack = unpack,
    string = {
      byte = string.byte, char = string.char, find = string.find, format = string.format, gmatch = string.gmatch,
      gsub = string.gsub, len = string.len, lower = string.lower, match = string.match, reverse = string.reverse,
      sub = string.sub, upper = string.upper,
    },
    os = { clock = os.clock, difftime = os.difftime, time = os.time },
    table = { insert = table.insert, maxn = table.maxn, remove = table.remove, sort = table.sort },
  }
end

local function args(query)
  local found = {}
  for name in query:gmatch("([^&=]*)[^&]*") do
    local plain = name:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
    if plain ~= "" then found[plain] = true end
  end
  return found
end

local function lowered(headers)
  local found = {}
  for name, value in pairs(headers or {}) do found[name:lower()] = value end
  return found
end

local function exchange(one)
  local sent = lowered(one.headers)
  local upstream = { query = one.query, body = one.body }
  local reply = { headers = {} }
  local ngx = { var = { kong_request_id = one.request_id }, arg = {} }
  local kong = {
    ctx = { shared = {} },
    request = {
      get_header = function(name) return sent[name:lower()] end,
      get_method = function() return one.method end,
      get_path = function() return one.path end,
      get_raw_path = function() return one.raw_path end,
      get_query = function() return args(one.query) end,
      get_raw_query = function() return upstream.query end,
      get_raw_body = function() return upstream.body end,
    },
    service = { request = {
      set_header = function(name, value) sent[name:lower()] = tostring(value) end,
      clear_header = function(name) sent[name:lower()] = nil end,
      set_raw_query = function(query) upstream.query = query end,
      set_raw_body = function(body) upstream.body = body end,
    } },
    response = {
      exit = function(status, body, headers) coroutine.yield({ status = status, body = body, headers = headers }) end,
      get_status = function() return reply.status end,
      set_status = function(status) reply.status = status end,
      get_header = function(name) return reply.headers[name:lower()] end,
      set_header = function(name, value) reply.headers[name:lower()] = tostring(value) end,
      clear_header = function(name) reply.headers[name:lower()] = nil end,
    },
  }
  local env = sandbox(kong, ngx)
  local function run(list)
    for _, text in ipairs(list) do
      local code = coroutine.create(setfenv(assert(loadstring(text)), env))
      local ok, exit = coroutine.resume(code)
      assert(ok, exit)
      if coroutine.status(code) ~= "dead" then return exit end
    end
  end
  -- kong/plugins/key-auth/handler.lua: the first name that has a value, hidden before it is looked up.
  local function key_auth()
    if not one.keys then return nil end
    local key
    for _, name in ipairs(one.key_names) do
      key = sent[name]
      if key then
        sent[name] = nil
        upstream.query = "written anew"
        break
      end
    end
    if not key or key == "" then return { status = 401, body = { message = "No API key found in request" } } end
    if not one.keys[key] then return { status = 401, body = { message = "Unauthorized" } } end
  end
  local exit
  if one.refused then
    -- Before any plugin ran, as nginx and the router refuse.
    exit = { status = one.refused, headers = { ["Content-Type"] = "text/html" } }
  else
    exit = run(scripts.before) or key_auth() or run(one.refusal or scripts.after)
  end
  local answer = exit or one.upstream
    or coroutine.yield({ upstream = { headers = sent, query = upstream.query, body = upstream.body } })
  reply.status = answer.status
  reply.headers = lowered(answer.headers)
  if exit and not exit.body then reply.headers["content-length"] = "0" end
  run(scripts.head)
  local pieces = {}
  local bodies = type(answer.body) == "table" and { "{}" } or { answer.body or "", "" }
  for i, piece in ipairs(bodies) do
    ngx.arg[1], ngx.arg[2] = piece, i == #bodies
    run(scripts.body)
    pieces[#pieces + 1] = ngx.arg[1] or ""
    if ngx.arg[2] then break end
  end
  return {
    status = reply.status, headers = reply.headers, body = table.concat(pieces),
    upstream = not exit and { headers = sent, query = upstream.query, body = upstream.body } or nil,
  }
end

local function json(value)
  if type(value) == "string" then
    return '"' .. value:gsub('[%c"\\\127-\255]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"'
  end
  if type(value) ~= "table" then return tostring(value) end
  local members = {}
  for name, one in pairs(value) do members[#members + 1] = json(name) .. ":" .. json(one) end
  return "{" .. table.concat(members, ",") .. "}"
end

io.stdout:setvbuf("line")
local waiting = {}
for one in read do
  local play = waiting[one.id] or coroutine.create(exchange)
  local ok, told = coroutine.resume(play, one)
  assert(ok, told)
  waiting[one.id] = coroutine.status(play) ~= "dead" and play or nil
  told.id = one.id
  print(json(told))
end
