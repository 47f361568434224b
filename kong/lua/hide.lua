-- After key-auth, which hides the first key that it finds: a function sees none, and the query as it was sent.
for _, name in ipairs({ "x-api-key", "apikey" }) do
  kong.service.request.clear_header(name)
end
kong.service.request.set_raw_query(kong.ctx.shared.query or "")
