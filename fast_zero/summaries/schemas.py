from pydantic import Field

from fast_zero.core.types import Id, ResponseModel

OPEN = Field(description="The number of its open todos.", examples=[3])


class ProjectCount(ResponseModel):
    project_id: Id
    open: int = OPEN


class LabelCount(ResponseModel):
    label_id: Id
    name: str = Field(examples=["errands"])
    open: int = OPEN


class FilterCount(ResponseModel):
    filter_id: Id
    open: int = Field(description="The number of open todos that it finds.", examples=[3])


class Summary(ResponseModel):
    """Counts of open todos: those in state `draft`, `todo` or `doing`, not in the trash."""

    inbox: int = Field(description="In no project.", examples=[4])
    today: int = Field(description="Due today, by day or by moment.", examples=[2])
    overdue: int = Field(description="Their due day or moment has passed.", examples=[1])
    next_seven_days: int = Field(
        description="Due from tomorrow up to seven days ahead.", examples=[5]
    )
    projects: list[ProjectCount] = Field(description="Those with open todos, by id.")
    labels: list[LabelCount] = Field(description="Those on open todos, by name.")
    filters: list[FilterCount] = Field(
        description="Your saved filters in their order, up to 100 conditions together."
    )
