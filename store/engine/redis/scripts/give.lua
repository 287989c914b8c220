-- Own a shard no more, and ring. Its numbers and marks stay.
-- KEYS: lease.  ARGV: token, channel, shard.
if ARGV[1] == '' or redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'token', '', 'owner', '')
redis.pcall('PUBLISH', ARGV[2], ARGV[3])
return 1
