"""Reader study: recordings are read alone, then with a model's answer and maps; owners see what came of it."""

from ecgviz.ui import widgets
from ecgviz.ui.reader_study import VIEWS, door

widgets.title("Reader study", "Your own answer is locked before the model's is shown. A code opens your study.")
held = door.need_seat()
VIEWS[held.person.role](held)
