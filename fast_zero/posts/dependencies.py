from typing import Annotated

from fastapi import Query

from fast_zero.posts.schemas import FeedParams

FeedQuery = Annotated[FeedParams, Query()]
