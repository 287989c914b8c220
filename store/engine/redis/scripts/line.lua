-- Which line of history this server writes: '<number>:<name>.<name>...', the newest name last.
--
-- Every server that is promoted begins a line of its own and names it (master_replid); what the
-- master before had alone is not in it. The names of the lines before stay beside it, so that of two
-- commands that one knows the places of it can be told which was accepted first, whatever any clock
-- says (`store/engine/places.py`). To ask the server costs some 6 us. A server that tells nothing leaves what is stored.
local LINES_KEPT = 4
local function line_of(lease, stored)
  local told = redis.pcall('INFO', 'replication')
  local name = type(told) == 'string' and string.match(told, 'master_replid:(%x%x%x%x%x%x%x%x)')
  stored = stored or ''
  if not name or string.sub(stored, -8) == name then
    return stored
  end
  local number, names = string.match(stored, '^(%d+):(.+)$')
  local kept = {}
  for each in string.gmatch(names or '', '%x+') do
    kept[#kept + 1] = each
  end
  kept[#kept + 1] = name
  local line = string.format('%.0f:', tonumber(number or 0) + 1)
    .. table.concat(kept, '.', math.max(1, #kept - LINES_KEPT + 1))
  redis.call('HSET', lease, 'line', line)
  return line
end
