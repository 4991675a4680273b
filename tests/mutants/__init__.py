"""One-line changes that would break what the product promises, each with the test that must notice it.

Each entry names a file, a text in it (`old`), the text in its place (`new`) and one test. To add an entry,
put a `Mutant` into the module of its subject:

- Write the name as the fault that somebody would report: "a lease is given to two workers".
- Copy as much of the file into `old` as it takes to occur exactly once. Change as little as possible.
- Name the smallest test that must go red. If no test does, write that test first.

`pytest tests/test_mutants.py` checks that each change still applies. `pytest -m mutants` applies each change
in a copy of the tree, runs its test there, and fails for each change that the test does not notice.
"""

from tests.mutants import (
    access,
    apps,
    backfill,
    billing,
    convergence,
    customers,
    defaults,
    foundation,
    handovers,
    inbox,
    operators,
    pages,
    portal,
    timing,
)
from tests.mutants.mutant import Mutant

MUTANTS = (
    *convergence.MUTANTS,
    *timing.MUTANTS,
    *defaults.MUTANTS,
    *inbox.MUTANTS,
    *backfill.MUTANTS,
    *billing.MUTANTS,
    *customers.MUTANTS,
    *apps.MUTANTS,
    *pages.MUTANTS,
    *access.MUTANTS,
    *handovers.MUTANTS,
    *operators.MUTANTS,
    *portal.MUTANTS,
    *foundation.MUTANTS,
)

__all__ = ["MUTANTS", "Mutant"]
