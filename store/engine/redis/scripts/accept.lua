-- Store a command for a light, and tell the shard's owner, whoever it is.
-- KEYS: lease, inbox, devices, commands, commands by time, keys, keys by time.
-- ARGV: entries of the inbox at most, channel, shard, DevEUI, command id, record, time, message,
--   idempotency key or '', fingerprint, record of the key.
-- A record is 8 bytes of time and then JSON. A key that cannot be read belongs to nobody.
local stored = redis.call('HGET', KEYS[4], ARGV[5])
if stored then
  redis.call('HSET', KEYS[4], ARGV[5], stored)  -- see SEEN in fields.lua
  return {'known', ARGV[5]}
end
local key = ARGV[9]
if key ~= '' then
  local held = redis.call('HGET', KEYS[6], key)
  if held then
    local read, record = pcall(cjson.decode, string.sub(held, 9))
    local id = read and type(record) == 'table' and record['command_id'] or ''
    if id == '' or record['fingerprint'] ~= ARGV[10] then
      return {'reused', id}
    end
    redis.call('HSET', KEYS[6], key, held)  -- likewise
    return {'known', id}
  end
end
if redis.call('HEXISTS', KEYS[3], ARGV[4]) == 0 then
  return {'unknown', ARGV[5]}
end
if redis.call('XLEN', KEYS[2]) >= tonumber(ARGV[1]) then
  return {'full', ARGV[5]}
end
redis.call('HSET', KEYS[4], ARGV[5], ARGV[6])
redis.call('ZADD', KEYS[5], ARGV[7], ARGV[5])
if key ~= '' then
  redis.call('HSET', KEYS[6], key, ARGV[11])
  redis.call('ZADD', KEYS[7], ARGV[7], key)
end
post(KEYS[2], redis.call('HGET', KEYS[1], 'in'), ARGV[8])
redis.pcall('PUBLISH', ARGV[2], ARGV[3])
return {'stored', ARGV[5]}
