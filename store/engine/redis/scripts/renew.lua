-- Show that the owner of a shard is alive.
-- KEYS: lease.  ARGV: token.
local lease = redis.call('HMGET', KEYS[1], unpack(FIELDS))
if lease[1] ~= ARGV[1] or ARGV[1] == '' then
  return answer('fenced', lease)
end
lease[4] = redis.call('HINCRBY', KEYS[1], 'beat', 1)
return answer('done', lease)
