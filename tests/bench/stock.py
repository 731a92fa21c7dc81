"""A store that holds many patients who are not due: copies, made by the server, of one enrolled.

Only their number and size matter here: a copy's contact does not open under its new id, which
nobody notices, since it does not fall due while we measure. ``make bench-memory`` enrols everyone.
"""

from __future__ import annotations

from service.bootstrap import Core
from service.store.keys import PartitionKeys, new_patient_id, partition_of
from tests.bench.filling import a_form, enrol_all, noon_zone

FIRST_DUE_MS, LAST_DUE_MS = 86_400_000, 60 * 86_400_000
"""From now: copies are due between tomorrow and in two months."""
TOGETHER = 2_000
ORIGINAL = 3_000_000
_COPY = """
-- KEYS: due.
-- ARGV: hash tag, id's two letters, first number, how many, first due, step of due, record...
local record = {unpack(ARGV, 7)}
for i = 0, ARGV[4] - 1 do
  local number = ARGV[3] + i
  local twin = ARGV[2] .. string.format('%010d', number)
  redis.call('HSET', ARGV[1] .. ':p:' .. twin, unpack(record))
  redis.call('HSET', ARGV[1] .. ':a:' .. string.format('%022d', number), 'p:' .. twin, '')
  redis.call('ZADD', KEYS[1], math.floor(ARGV[5] + i * ARGV[6]), twin .. '.1')
end
"""


def stock(core: Core, stored: int, wanted: int) -> None:
    """Let the store hold so many subscriptions in all.

    Args:
        core: an open store.
        stored: how many earlier calls have put there.
        wanted: how many it shall hold.
    """
    zone = noon_zone()
    (original,) = enrol_all(
        core, 1, lambda _: a_form(ORIGINAL + stored, zone, text=True, mail=False)
    )
    home = PartitionKeys(partition_of(original))
    record = [part for pair in core.client.hgetall(home.patient(original)).items() for part in pair]
    core.client.zrem(home.due, f"{original}.1")
    copy, first_ms = core.client.register_script(_COPY), core.business.now_ms() + FIRST_DUE_MS
    each, rest = divmod(wanted - stored, core.partitions)
    for partition in range(core.partitions):
        keys, count = PartitionKeys(partition), each + (partition < rest)
        letters = new_patient_id(partition, bytes)[:2]
        step = (LAST_DUE_MS - FIRST_DUE_MS) / max(count, 1)
        for start in range(0, count, TOGETHER):
            numbers = (stored + start, min(TOGETHER, count - start))
            times = (first_ms + int(start * step), step)
            copy(keys=[keys.due], args=(keys.tag, letters, *numbers, *times, *record))
