-- Close the fleet to whoever would open it, or open it again; not where somebody else did either.
-- KEYS: shape.  ARGV: the mark that was seen, the new one ('' for none), the layout's fields.
local found = redis.call('HGET', KEYS[1], 'moving') or ''
if found ~= ARGV[1] and found ~= ARGV[2] then
  return 0
end
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], 'moving')
else
  redis.call('HSET', KEYS[1], 'moving', ARGV[2], unpack(ARGV, 3))
end
return 1
