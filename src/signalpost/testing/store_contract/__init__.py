"""What every store of durable deliveries has to do, as tests: subclass `StoreContract` and run it.

```python
from signalpost.testing.memory import MemoryStore
from signalpost.testing.store_contract import StoreContract

class TestMyStore(StoreContract):
    @pytest.fixture
    def subject(self):
        return MySubject()
```

The subject is a `Subject`: an empty store, and ways to let time pass and to look at its rows.
"""

from signalpost.testing.store_contract.claiming import Claiming
from signalpost.testing.store_contract.keys import Keys
from signalpost.testing.store_contract.leases import Leases
from signalpost.testing.store_contract.obstacles import Obstacles
from signalpost.testing.store_contract.recording import Recording
from signalpost.testing.store_contract.settling import Settling
from signalpost.testing.store_contract.subject import Seen, Subject
from signalpost.testing.store_contract.together import Together

__all__ = ["Seen", "StoreContract", "Subject"]


class StoreContract(Recording, Claiming, Settling, Leases, Keys, Obstacles, Together):
    """The contract: the tests of its parts. Give it a fixture `subject`."""
