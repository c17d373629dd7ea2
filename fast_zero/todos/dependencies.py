from typing import Annotated

from fastapi import Security

from fast_zero.accounts.dependencies import Actor, current_actor
from fast_zero.accounts.scopes import Scope

Reader = Annotated[Actor, Security(current_actor, scopes=[Scope.TODOS_READ])]
Writer = Annotated[Actor, Security(current_actor, scopes=[Scope.TODOS_WRITE])]
