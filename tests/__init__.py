"""The tests.

Compiled modules are kept, even where the environment says otherwise: that saves each start some seconds.
"""

import sys

sys.dont_write_bytecode = False
