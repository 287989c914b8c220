-- Become the owner of a shard, if its lease has not moved since it was seen.
-- KEYS: lease.  ARGV: token, beat and seq as seen, boot of the taker, its leap (epochs.py).
-- The epoch is the clock in ms, so that it is above one that a fail-over has lost. Where the clock is
-- behind the epoch that is stored, it leaps beyond that.
local lease = redis.call('HMGET', KEYS[1], unpack(FIELDS))
local seen = ARGV[1] .. ' ' .. ARGV[2] .. ' ' .. ARGV[3]
local stored = (lease[1] or '') .. ' ' .. (lease[4] or '0') .. ' ' .. (lease[5] or '0')
if stored ~= seen then
  local ours = lease[3] == ARGV[4] and lease[4] == '0' and lease[5] == '0'
  if ours and redis.call('HGET', KEYS[1], 'from') == seen then
    redis.call('HSET', KEYS[1], 'from', seen)  -- this very call came before: see SEEN
    return answer('done', lease)
  end
  return answer('fenced', lease)
end
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local before = tonumber(lease[2] or 0)
local epoch = string.format('%.0f', now > before and now or before + 1 + tonumber(ARGV[5]))
lease[1], lease[2], lease[3], lease[4], lease[5] = epoch .. '.' .. ARGV[4], epoch, ARGV[4], '0', '0'
redis.call('HSET', KEYS[1], 'token', lease[1], 'epoch', epoch, 'owner', ARGV[4],
           'beat', '0', 'seq', '0', 'from', seen)
return answer('done', lease)
