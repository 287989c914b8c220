-- One commit of one shard, all of it or nothing.
-- KEYS: lease, inbox, feed, then those of the commands.
-- ARGV: token, seq, inbox mark (an id, or a line of history and an id), source mark, feed entry, entries kept of the feed, channel or '',
--   what is said there, how many lines of histories, these lines: each the number of its stream's key in KEYS (that
--   of the ages is the next), its id, itself, its age; then the commands: each its name, the number of its key, how
--   many arguments, these.
-- What can be refused comes first; a bell that may not be rung is no reason to stop half-way.
local lease = redis.call('HMGET', KEYS[1], unpack(FIELDS))
if lease[1] ~= ARGV[1] or ARGV[1] == '' then
  return answer('fenced', lease)
end
local stored, seq = tonumber(lease[5]), tonumber(ARGV[2])
if seq <= stored then
  lease[4] = redis.call('HINCRBY', KEYS[1], 'beat', 1)  -- see SEEN in fields.lua
  return answer('repeated', lease)
end
if seq ~= stored + 1 then
  return answer('gap', lease)
end
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[6], lease[2] .. '-' .. ARGV[2], 'b', ARGV[5])
local at, last = 10, #ARGV
for _ = 1, tonumber(ARGV[9]) do
  local stream, line = tonumber(ARGV[at]), ARGV[at + 1]
  redis.call('HSETNX', KEYS[stream], line, ARGV[at + 2])
  redis.call('ZADD', KEYS[stream + 1], 'NX', ARGV[at + 3], line)
  at = at + 4
end
while at <= last do
  local first = at + 3
  at = first + tonumber(ARGV[at + 2])
  redis.call(ARGV[first - 3], KEYS[tonumber(ARGV[first - 2])], unpack(ARGV, first, at - 1))
end
local mark, space = ARGV[3], string.find(ARGV[3], ' ', 1, true)
if space then
  mark = string.sub(ARGV[3], space + 1)
  if (redis.call('HGET', KEYS[1], 'line') or '') ~= string.sub(ARGV[3], 1, space - 1) then
    mark = '0-0'  -- of another master: what is unread of this one may have lower ids
  end
end
if mark ~= '0-0' and mark ~= lease[6] then
  lease[6] = mark
  redis.call('XTRIM', KEYS[2], 'MINID', mark)
end
if ARGV[4] ~= '' then
  lease[7] = ARGV[4]
end
lease[4], lease[5] = string.format('%.0f', tonumber(lease[4]) + 1), ARGV[2]
redis.call('HSET', KEYS[1], 'beat', lease[4], 'seq', lease[5], 'in', lease[6] or '0-0',
           'src', lease[7] or '')
if ARGV[7] ~= '' then
  redis.pcall('PUBLISH', ARGV[7], ARGV[8])
end
return answer('done', lease)
