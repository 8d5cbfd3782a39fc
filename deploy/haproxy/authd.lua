-- authd for HAProxy (2.6 and later): the action "lua.authd", which asks authd about a request.
-- haproxy.cfg beside this file loads it.
--
-- Whatever goes wrong in here denies: the request goes on only where the variable
-- txn.authd_allowed is true at the end, and haproxy.cfg refuses it otherwise. (An error in a Lua
-- action alone would let the request pass.)

-- Where authd answers: haproxy.cfg's own listener in front of its backend "authd". Connections that are
-- kept, time-outs, health checks and TLS to authd are that backend's matter.
local AUTHD = "abns@authd"

-- How long an answer is waited for, in milliseconds.
local TIMEOUT = 3000

-- Headers that the service behind receives from authd, and from nobody else. The names are those of
-- identity.headers in authd's configuration, in lower case.
local IDENTITY = {"x-auth-user", "x-auth-key", "x-auth-key-id", "x-auth-groups", "x-auth-scopes"}

-- Headers that carry a key: they end here. Add what you add to credentials.sources.
local CREDENTIAL = {"api-key", "x-api-key"}

-- Goes with identity.return_authorization: true in authd's configuration: Authorization is taken from authd's
-- answer, which has it exactly where it was not the key.
local RETURN_AUTHORIZATION = true

-- What is not sent to authd: what belongs to the connection or to the body, what authd is told below,
-- and cookies, which are large and not read. (Take "cookie" out for a key in a cookie.)
local NOT_SENT = {}
for _, name in ipairs({
  "host", "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
  "content-length", "content-encoding", "expect", "cookie", "forwarded", "x-real-ip",
}) do
  NOT_SENT[name] = true
end

-- Headers of a denial that the client gets. Everything else of it is HAProxy's own.
local TOLD = {"content-type", "cache-control", "www-authenticate", "retry-after", "ratelimit", "ratelimit-policy"}

-- question is what authd is told of the request. All other headers go along, repeated ones as they are: authd
-- refuses two keys, and the aliases of identity headers (X_Auth_User).
local function question(txn)
  local headers = {}
  for name, values in pairs(txn.http:req_get_headers()) do
    name = name:lower()
    if not NOT_SENT[name] and name:sub(1, 12) ~= "x-forwarded-" and name:sub(1, 11) ~= "x-original-" then
      local list = {}
      for i = 0, #values do
        if values[i] ~= nil then
          list[#list + 1] = values[i]
        end
      end
      headers[name] = list
    end
  end
  headers["host"] = {"authd"}
  headers["x-forwarded-method"] = {txn.sf:method()}
  headers["x-forwarded-host"] = {txn.sf:req_hdr("host")}
  headers["x-forwarded-uri"] = {txn.sf:pathq()}
  headers["x-forwarded-for"] = {txn.sf:src()}
  return headers
end

-- allow hands the identity to the service behind. A header that authd did not send is deleted, never kept.
local function allow(txn, answer)
  local function take(name)
    local values = answer[name]
    txn.http:req_del_header(name)
    if values ~= nil and values[0] ~= nil and values[1] == nil then
      txn.http:req_add_header(name, values[0])
    end
  end
  for _, name in ipairs(IDENTITY) do
    take(name)
  end
  for _, name in ipairs(CREDENTIAL) do
    txn.http:req_del_header(name)
  end
  if RETURN_AUTHORIZATION then
    take("authorization")
    if txn.sf:req_hdr("authorization") == "" then
      txn.http:req_del_header("authorization")
    end
  end
  txn:set_var("txn.authd_allowed", true)
end

-- deny gives the client authd's answer.
local function deny(txn, response)
  local reply = txn:reply({status = response.status, body = response.body})
  for _, name in ipairs(TOLD) do
    for _, value in pairs(response.headers[name] or {}) do
      reply:add_header(name, value)
    end
  end
  txn:done(reply)
end

core.register_action("authd", {"http-req"}, function(txn, path)
  txn:set_var("txn.authd_allowed", false)
  local asked, response = pcall(function()
    return core.httpclient():get({url = "http://authd" .. path, headers = question(txn), dst = AUTHD, timeout = TIMEOUT})
  end)
  if not asked then
    txn:Warning("authd was not asked: " .. tostring(response))
    return
  end
  if response.status == 200 then
    allow(txn, response.headers)
  elseif response.status == 401 or response.status == 403 or response.status == 429 or response.status == 503 then
    deny(txn, response)
  end
end, 1)
