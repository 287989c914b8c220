-- Delete what is too old from a shard; how much went, or -1 where the token is not its any more.
-- KEYS: lease, streams by time, then pairs: a hash and its keys by time.
-- ARGV: token, before, at most, how many of the pairs are tables, then the names of the streams.
-- What is old is looked up here again: a commit may have made it new since the caller looked.
if ARGV[1] == '' or redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then
  return -1
end
local left, tables = tonumber(ARGV[3]), tonumber(ARGV[4])
local gone = 0
for pair = 1, (#KEYS - 2) / 2 do
  local hash, ages = KEYS[1 + 2 * pair], KEYS[2 + 2 * pair]
  local old = redis.call('ZRANGE', ages, '-inf', '(' .. ARGV[2], 'BYSCORE', 'LIMIT', 0, left)
  if #old > 0 then
    redis.call('HDEL', hash, unpack(old))
    redis.call('ZREM', ages, unpack(old))
    left, gone = left - #old, gone + #old
  end
  if pair > tables then
    local name = ARGV[4 + pair - tables]
    local oldest = redis.call('ZRANGE', ages, 0, 0, 'WITHSCORES')
    if oldest[2] then
      redis.call('ZADD', KEYS[2], oldest[2], name)
    else
      redis.call('ZREM', KEYS[2], name)
    end
  end
end
return gone
