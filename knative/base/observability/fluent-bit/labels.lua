-- Which function a line is of, and how grave it is, where the line does not say: by the name that Kubernetes or Docker
-- Compose knows its container by, students-get. What is no line of ours, a crash of Node or a server's, says nothing.
local levels = { debug = true, info = true, warn = true, error = true }

local function slug(record)
  local labels = type(record.kubernetes) == "table" and record.kubernetes.labels
  return labels and labels["app.kubernetes.io/name"] or record["com.docker.compose.service"]
end

function labels(tag, timestamp, record)
  if record["function"] == nil then
    record["function"] = string.gsub(slug(record) or "none", "-", "/", 1)
  end
  if not levels[record.level] then
    record.level = "unknown"
  end
  record.kubernetes = nil
  -- 2: the record is another one, its time is not.
  return 2, timestamp, record
end
