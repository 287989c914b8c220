-- Put messages into the inbox of a shard as long as there is room; how many were put.
-- KEYS: lease, inbox.  ARGV: entries at most, channel, shard, messages.
local lease = redis.call('HMGET', KEYS[1], 'in', 'line')
local mark, line = lease[1], line_of(KEYS[1], lease[2])
local room = tonumber(ARGV[1]) - redis.call('XLEN', KEYS[2])
local count = math.max(0, math.min(room, #ARGV - 3))
for at = 4, 3 + count do
  post(KEYS[2], mark, ARGV[at], line)
end
if count > 0 then
  redis.pcall('PUBLISH', ARGV[2], ARGV[3])
end
return count
