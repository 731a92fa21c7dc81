-- What a partition has to do: {first due ms or '', first held ms or '', number held, first afterwards}.
-- KEYS: due, held, afterwards.
local due = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local held = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
local after = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')
return {due[2] or '', held[2] or '', redis.call('ZCARD', KEYS[2]), after[2] or ''}
