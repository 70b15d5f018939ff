"""Many records: `ecgviz.cohort.run.run_cohort` fills a store, `Cohort` reads it, and the other rooms sum it up.

To read a store needs no network: nothing here imports torch before a run is asked for.
"""

from ecgviz.cohort.store import Cohort

__all__ = ["Cohort"]
