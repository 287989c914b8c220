-- Store a command for a light, and tell the shard's owner, whoever it is.
-- KEYS: lease, inbox, devices, commands, commands by time, keys, keys by time.
-- ARGV: entries of the inbox at most, channel, shard, DevEUI, command id, record, time, message,
--   idempotency key or '', fingerprint, record of the key, boot of who asks.
-- Where it is stored: its id, that of its inbox entry, that of the entry before or '', and the line of
-- history. Who asks and owns the shard goes on by these; anybody else who owns it is told by the bell.
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
local lease = redis.call('HMGET', KEYS[1], 'in', 'owner', 'line')
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local line = line_of(KEYS[1], lease[3])
local entry = post(KEYS[2], lease[1], ARGV[8], line)
if lease[2] ~= ARGV[12] or ARGV[12] == '' then
  redis.pcall('PUBLISH', ARGV[2], ARGV[3])
end
return {'stored', ARGV[5], entry, last and last[1] or '', line}
