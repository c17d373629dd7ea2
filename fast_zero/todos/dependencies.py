from typing import Annotated

from fastapi import Security

from fast_zero.identity.dependencies import AuthenticatedUser, current_user
from fast_zero.identity.scopes import Scope

Reader = Annotated[AuthenticatedUser, Security(current_user, scopes=[Scope.TODOS_READ])]
Writer = Annotated[AuthenticatedUser, Security(current_user, scopes=[Scope.TODOS_WRITE])]
