"""Reader study: recordings are read alone, then with a model's answer and maps; owners see what came of it."""

from ecgviz.ui.reader_study import VIEWS, door

held = door.need_seat()
VIEWS[held.person.role](held)
