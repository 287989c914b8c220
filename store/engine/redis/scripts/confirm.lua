-- The lease of a shard as it is; what was written before this is confirmed with it (see SEEN).
-- KEYS: lease.
local lease = redis.call('HMGET', KEYS[1], unpack(FIELDS))
if lease[4] then
  redis.call('HSET', KEYS[1], 'beat', lease[4])
end
return answer('done', lease)
