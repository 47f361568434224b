-- The problem in place of what was answered, with its first piece.
local problem = kong.ctx.shared.problem
if problem then
  ngx.arg[1] = problem
  ngx.arg[2] = true
  kong.ctx.shared.problem = ""
end
