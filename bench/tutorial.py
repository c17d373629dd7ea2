"""The usual server: the same contract, written as FastAPI tutorials teach it.

The pool has its default size, a request is one transaction, the current user is read from the
database, rows are read before they are changed and refreshed afterwards, and lists take an
offset. The owner's column has an index, which not every tutorial remembers.
"""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from enum import Enum
from http import HTTPStatus
from typing import Annotated, Any

import jwt
from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from pwdlib import PasswordHash
from pydantic import BaseModel, ConfigDict
from sqlalchemy import DateTime, ForeignKey, func, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

DATABASE_URL = os.environ.get("DATABASE_URL", "postgresql://")
SECRET_KEY = os.environ.get("SECRET_KEY", "")
ALGORITHM = "HS256"
TOKEN_MINUTES = 30

engine = create_async_engine(DATABASE_URL)
pwd_context = PasswordHash.recommended()
oauth2_scheme = OAuth2PasswordBearer(tokenUrl="auth/token")
app = FastAPI()


class TodoState(str, Enum):  # noqa: UP042  # the way it is still taught
    draft = "draft"
    todo = "todo"
    doing = "doing"
    done = "done"
    trash = "trash"


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str] = mapped_column(unique=True)
    password: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Todo(Base):
    __tablename__ = "todos"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    title: Mapped[str]
    description: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), onupdate=func.now()
    )


class TodoSchema(BaseModel):
    title: str
    description: str = ""
    state: TodoState = TodoState.todo


class TodoUpdate(BaseModel):
    title: str | None = None
    description: str | None = None
    state: TodoState | None = None


class TodoPublic(TodoSchema):
    model_config = ConfigDict(from_attributes=True)

    id: int
    created_at: datetime
    updated_at: datetime


class TodoList(BaseModel):
    todos: list[TodoPublic]


class Token(BaseModel):
    access_token: str
    token_type: str


class FilterTodo(BaseModel):
    offset: int = 0
    limit: int = 100
    title: str | None = None
    description: str | None = None
    state: TodoState | None = None


async def get_session() -> AsyncIterator[AsyncSession]:
    async with AsyncSession(engine, expire_on_commit=False) as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]


async def get_current_user(
    session: SessionDep, token: Annotated[str, Depends(oauth2_scheme)]
) -> User:
    credentials_error = HTTPException(
        HTTPStatus.UNAUTHORIZED,
        "Could not validate credentials",
        {"WWW-Authenticate": "Bearer"},
    )
    try:
        options: Any = {"verify_aud": False}  # the benchmark's tokens are fast_zero's own
        payload = jwt.decode(token, SECRET_KEY, algorithms=[ALGORITHM], options=options)
    except jwt.InvalidTokenError:
        raise credentials_error from None
    user = await session.scalar(select(User).where(User.id == int(payload["sub"])))
    if user is None:
        raise credentials_error
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]


@app.post("/auth/token", response_model=Token)
async def login(
    form_data: Annotated[OAuth2PasswordRequestForm, Depends()], session: SessionDep
) -> object:
    user = await session.scalar(select(User).where(User.email == form_data.username))
    if user is None or not pwd_context.verify(form_data.password, user.password):
        raise HTTPException(HTTPStatus.UNAUTHORIZED, "Incorrect email or password")
    expire = datetime.now(UTC) + timedelta(minutes=TOKEN_MINUTES)
    access_token = jwt.encode({"sub": str(user.id), "exp": expire}, SECRET_KEY, ALGORITHM)
    return {"access_token": access_token, "token_type": "bearer"}


@app.post("/todos", status_code=HTTPStatus.CREATED, response_model=TodoPublic)
async def create_todo(todo: TodoSchema, session: SessionDep, user: CurrentUser) -> object:
    db_todo = Todo(
        owner_id=user.id, title=todo.title, description=todo.description, state=todo.state.value
    )
    session.add(db_todo)
    await session.commit()
    await session.refresh(db_todo)
    return db_todo


@app.get("/todos", response_model=TodoList)
async def list_todos(
    session: SessionDep, user: CurrentUser, todo_filter: Annotated[FilterTodo, Query()]
) -> object:
    query = select(Todo).where(Todo.owner_id == user.id)
    if todo_filter.title:
        query = query.where(Todo.title.icontains(todo_filter.title))
    if todo_filter.description:
        query = query.where(Todo.description.icontains(todo_filter.description))
    if todo_filter.state:
        query = query.where(Todo.state == todo_filter.state.value)
    query = query.order_by(Todo.id).offset(todo_filter.offset).limit(todo_filter.limit)
    todos = await session.scalars(query)
    return {"todos": todos.all()}


@app.patch("/todos/{todo_id}", response_model=TodoPublic)
async def patch_todo(
    todo_id: int, todo: TodoUpdate, session: SessionDep, user: CurrentUser
) -> object:
    db_todo = await session.scalar(select(Todo).where(Todo.owner_id == user.id, Todo.id == todo_id))
    if db_todo is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "Task not found.")
    for key, value in todo.model_dump(exclude_unset=True).items():
        setattr(db_todo, key, value)
    session.add(db_todo)
    await session.commit()
    await session.refresh(db_todo)
    return db_todo
