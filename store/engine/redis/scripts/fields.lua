-- What all scripts on a lease begin with.
--
-- SEEN: WAIT counts the replicas that have what this connection wrote last, and a connection that
-- wrote nothing waits for nothing. So a script that finds its work done by an earlier, unconfirmed
-- call must write as well: what it writes comes after that work, and so does its confirmation.
local FIELDS = {'token', 'epoch', 'owner', 'beat', 'seq', 'in', 'src'}
local function answer(applied, lease)
  return {applied, unpack(lease, 1, #FIELDS)}
end
