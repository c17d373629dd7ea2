from typing import Annotated

from fastapi import Security

from fast_zero.identity.dependencies import Actor, current_actor
from fast_zero.identity.scopes import Scope

Reader = Annotated[Actor, Security(current_actor, scopes=[Scope.TODOS_READ])]
Writer = Annotated[Actor, Security(current_actor, scopes=[Scope.TODOS_WRITE])]
