-- Put one message into an inbox; its id. Ids come from the server's clock, which a fail-over may set back,
-- and the mark of what is dealt with is put back by its owner: an id at or below the mark would
-- never be read. Such a one is given again, right above the mark. `line`: see line.lua.
local function parts(id)
  local ms, number = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(number)
end
local function post(inbox, mark, message, line)
  local id = redis.call('XADD', inbox, '*', 'm', message, 'l', line or '')
  if mark then
    local ms, number = parts(id)
    local mark_ms, mark_number = parts(mark)
    if ms < mark_ms or (ms == mark_ms and number <= mark_number) then
      redis.call('XDEL', inbox, id)
      id = redis.call('XADD', inbox, string.format('%.0f-0', mark_ms + 1), 'm', message,
                      'l', line or '')
    end
  end
  return id
end
