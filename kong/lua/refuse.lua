-- What a path has no function for, after the key was checked: OPTIONS, and every method that is not here.
local allow = "ALLOW"
if kong.request.get_method() == "OPTIONS" then
  return kong.response.exit(204, nil, { Allow = allow })
end
return kong.response.exit(405, { message = "this path does not have this method" }, { Allow = allow })
