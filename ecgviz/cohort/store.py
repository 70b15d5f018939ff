"""A store, opened to be read: DuckDB on the Parquet files as they lie, with no way out of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from ecgviz.cohort.files import PARQUET, check_store, read_about
from ecgviz.cohort.schema import LEADS, N_CELLS
from ecgviz.errors import CohortError
from ecgviz.types import ATOMS, WAVES
from ecgviz.types.arrays import FloatArray

if TYPE_CHECKING:
    import pandas as pd

LOCKED: Mapping[str, str] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "enable_external_access": "false",
    "lock_configuration": "true",
}
"""In this order: no code is fetched, no variable of this program is a table, no file but the store's is opened."""


@dataclass(frozen=True)
class Failed:
    """How many recordings have a row that failed, of how many that have rows at all."""

    n_failed: int = 0
    n_recordings: int = 0


@dataclass(frozen=True, eq=False)
class Cohort:
    """A store of `run_cohort`, opened to be read while or after it is written.

    Tables: ``records`` (one row a recording), ``rows`` (one row a recording x model x label x method), ``cohort`` (both
    joined). Macros: ``cell(matrix, 'V1', 'ST')`` is one cell of a matrix, ``on_wave(matrix, 'V1', 'QRS')`` the sum over
    the atoms of a wave. Parameters of the class: ``folder``, the store.

    Raises
    ------
    CohortError
        For what is no store, one of another format, or one without rows.
    """

    folder: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", Path(self.folder))  # readers give names, too
        check_store(self.folder)

    def sql(self, query: str, parameters: Sequence[Any] = ()) -> "pd.DataFrame":
        """Return what a query gives; ``parameters`` fill its question marks.

        Raises
        ------
        CohortError
            For a query that does more than read, opens another file, or is none; for a store with a broken file.
        """
        return self._answered(query, parameters, "df")

    def arrow(self, query: str, parameters: Sequence[Any] = ()) -> Any:
        """Return what a query gives as an Arrow table; see `sql`."""
        return self._answered(query, parameters, "to_arrow_table")

    def failed(self) -> Failed:
        """Return how many recordings have a row that failed."""
        (counts,) = self.arrow(
            "SELECT count(DISTINCT record) FILTER (failure IS NOT NULL) AS n_failed, "
            "count(DISTINCT record) AS n_recordings FROM rows"
        ).to_pylist()
        return Failed(**counts)

    def _answered(self, query: str, parameters: Sequence[Any], form: str) -> Any:
        try:
            cursor = self._connection.cursor()
            statements = cursor.extract_statements(query)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise CohortError("a query on a store is one SELECT: it reads, and changes nothing")
            return getattr(cursor.sql(query, params=list(parameters)), form)()
        except duckdb.Error as error:
            raise CohortError(f"the query cannot be answered: {str(error).splitlines()[0]}") from error

    @cached_property
    def settings(self) -> Mapping[str, Mapping[str, Any]]:
        """What each digest in the column ``settings`` stands for."""
        return dict(read_about(self.folder)["settings"])

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(":memory:")
        folder = str(self.folder.resolve())
        # A glob is held against this list as it is written, and each file that it finds by its name.
        connection.execute(f"SET allowed_directories = {_list([folder, _literal(folder)])}")
        for name, value in LOCKED.items():
            if name == "lock_configuration":
                _define(connection, _literal(folder))
            connection.execute(f"SET {name} = {value}")
        return connection


def matrices(table: Any, column: str) -> FloatArray:
    """Return a column of matrices of an Arrow table, (n, 12, 9); NaN where a row has none."""
    return lists(table, column, N_CELLS).reshape(-1, len(LEADS), len(ATOMS))


def lists(table: Any, column: str, n: int) -> FloatArray:
    """Return a column of lists of n numbers of an Arrow table, (rows, n) float32; NaN where a row has none."""
    chunks = table.column(column).combine_chunks()
    given = np.asarray(chunks.is_valid())
    found = np.full((len(given), n), np.nan, np.float32)
    found[given] = chunks.flatten().to_numpy(zero_copy_only=False).reshape(-1, n)
    return found


def _define(connection: duckdb.DuckDBPyConnection, folder: str) -> None:
    """Make the views and macros; ``folder`` is a glob that finds the store alone."""
    rows, records = _quoted(f"{folder}/rows/*/*/{PARQUET}"), _quoted(f"{folder}/records/{PARQUET}")
    # DuckDB's own reading of Hive's names takes those of the folders above the store for columns, too. Files whose name
    # does not answer a question are left unopened this way as well.
    connection.execute(
        "CREATE VIEW rows AS SELECT * EXCLUDE (filename), "  # noqa: S608
        "substring(parse_path(filename)[-3], len('model=') + 1) AS model, "
        "substring(parse_path(filename)[-2], len('method=') + 1) AS method "
        f"FROM read_parquet({rows}, hive_partitioning = false, filename = true)"
    )
    connection.execute(f"CREATE VIEW records AS SELECT * FROM read_parquet({records}, hive_partitioning = false)")  # noqa: S608
    connection.execute("CREATE VIEW cohort AS SELECT * FROM rows JOIN records USING (record)")
    leads, atoms = _list(LEADS), _list(ATOMS)
    place = f"{len(ATOMS)} * (list_position({leads}, lead) - 1) + list_position({atoms}, atom)"
    connection.execute(f"CREATE MACRO cell(matrix, lead, atom) AS matrix[{place}]")
    sums = " ".join(
        f"WHEN '{wave}' THEN {' + '.join(f'cell(matrix, lead, {_quoted(atom)})' for atom in some)}"
        for wave, some in WAVES.items()
    )
    connection.execute(f"CREATE MACRO on_wave(matrix, lead, wave) AS CASE wave {sums} END")


def _list(names: Sequence[str]) -> str:
    return f"[{', '.join(map(_quoted, names))}]"


def _literal(path: str) -> str:
    """Return a glob that finds this path and no other."""
    return re.sub(r"[*?[]", r"[\g<0>]", path)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
