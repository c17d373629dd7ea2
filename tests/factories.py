import factory

from fast_zero.accounts.models import User
from fast_zero.todos.models import Todo, TodoState

PASSWORD = "a fine long sentence"
# Made with one pass over 8 KiB, so that checking it costs a test nothing.
PASSWORD_HASH = (
    "$argon2id$v=19$m=8,t=1,p=1$lS/ecD1swRHFJn5nJMWmmg$XTfWRoLfiEickF15KEEoSxHcLme/GVG7umyCZ57Q5F0"
)


class UserFactory(factory.Factory):
    class Meta:
        model = User

    username = factory.Sequence(lambda number: f"user {number}")
    email = factory.Sequence(lambda number: f"user{number}@example.com")
    password_hash = PASSWORD_HASH


class TodoFactory(factory.Factory):
    class Meta:
        model = Todo

    owner_id: int
    title = factory.Faker("sentence", nb_words=4)
    description = factory.Faker("text", max_nb_chars=120)
    state = factory.Faker("random_element", elements=list(TodoState))
