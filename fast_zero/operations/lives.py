"""What people of the demo plan and write, in English and Portuguese."""

from dataclasses import dataclass

LANGUAGES = ("en", "pt-BR")
Words = tuple[str, str]
"""A text in each of the languages."""


@dataclass(frozen=True)
class Task:
    """A todo of a project. Other todos are given by their index in the project.

    `due` is the number of days from today, `hour` the hour if it is due at a moment.
    """

    title: Words
    section: int | None = None
    labels: tuple[int, ...] = ()
    priority: str = "none"
    due: int | None = None
    hour: int | None = None
    minutes: int | None = None
    under: int | None = None
    waits_for: int | None = None
    done: bool = False
    trashed: bool = False


@dataclass(frozen=True)
class Plan:
    """A project with its sections and todos."""

    name: Words
    color: str
    sections: tuple[Words, ...]
    tasks: tuple[Task, ...]


HOME, ERRANDS, CALLS, WAITING = range(4)
LABELS: tuple[tuple[Words, str], ...] = (
    (("home", "casa"), "green"),
    (("errands", "rua"), "orange"),
    (("calls", "telefonemas"), "blue"),
    (("waiting", "esperando"), "grey"),
)
PLANS = (
    Plan(
        ("New kitchen", "Cozinha nova"),
        "orange",
        (("Planning", "Planejamento"), ("Work", "Obra")),
        (
            Task(("Measure the kitchen", "Medir a cozinha"), 0, (HOME,), due=-9, done=True),
            Task(
                ("Order the cabinets", "Encomendar os armários"),
                *(0, (WAITING,), "high"),
                due=3,
            ),
            Task(("Compare three offers", "Comparar três orçamentos"), under=1, done=True),
            Task(("Pay the deposit", "Pagar o sinal"), under=1, priority="high", due=1),
            Task(
                ("Call the plumber", "Ligar para o encanador"),
                *(1, (CALLS,), "urgent"),
                due=0,
                hour=15,
                minutes=15,
            ),
            Task(("Take down the old tiles", "Tirar os azulejos antigos"), 1, (HOME,), due=-2),
            Task(("Paint the walls", "Pintar as paredes"), 1, (HOME,), due=12, waits_for=5),
            Task(("Build a kitchen island", "Fazer uma ilha na cozinha"), 0, trashed=True),
        ),
    ),
    Plan(
        ("Trip to the coast", "Viagem ao litoral"),
        "cyan",
        (("Before", "Antes"), ("Packing", "Mala")),
        (
            Task(("Choose the dates", "Escolher as datas"), 0, due=-12, done=True),
            Task(("Book the hotel", "Reservar o hotel"), 0, priority="high", due=0, hour=20),
            Task(("Buy the bus tickets", "Comprar as passagens"), 0, due=2, waits_for=1),
            Task(("Pack the bag", "Fazer a mala"), 1, due=8, minutes=60),
            Task(("Sunscreen", "Protetor solar"), under=3, labels=(ERRANDS,), done=True),
            Task(("Swimwear", "Roupa de banho"), under=3),
            Task(("A book", "Um livro"), under=3, priority="low"),
            Task(("Rent a car", "Alugar um carro"), 0, (CALLS,), trashed=True),
        ),
    ),
    Plan(
        ("Birthday party", "Festa de aniversário"),
        "pink",
        (("Guests", "Convidados"), ("Food", "Comida")),
        (
            Task(("Write the guest list", "Fazer a lista de convidados"), 0, due=-5, done=True),
            Task(("Send the invitations", "Mandar os convites"), 0, due=-1, priority="medium"),
            Task(("Ask who eats no meat", "Perguntar quem não come carne"), 0, (CALLS,), due=1),
            Task(("Order the cake", "Encomendar o bolo"), 1, (ERRANDS,), "high", due=4),
            Task(("Choose the filling", "Escolher o recheio"), under=3, done=True),
            Task(("Buy drinks", "Comprar bebidas"), 1, (ERRANDS,), due=6, waits_for=2),
            Task(("Hire a band", "Contratar uma banda"), priority="low", trashed=True),
        ),
    ),
    Plan(
        ("Getting fit", "Entrar em forma"),
        "teal",
        (("Body", "Corpo"), ("Kitchen", "Cozinha")),
        (
            Task(("Have a check-up", "Fazer um check-up"), 0, (CALLS,), due=5, hour=9),
            Task(("Find the vaccination card", "Achar a caderneta de vacinação"), under=0),
            Task(("Run three times this week", "Correr três vezes esta semana"), 0, due=2),
            Task(("First run", "Primeira corrida"), under=2, minutes=30, done=True),
            Task(("Second run", "Segunda corrida"), under=2, minutes=30, due=0),
            Task(("Cook beans for the week", "Cozinhar feijão para a semana"), 1, (HOME,), due=-3),
            Task(("Buy running shoes", "Comprar tênis de corrida"), 0, (ERRANDS,), done=True),
        ),
    ),
)
CHORES: tuple[Words, ...] = (
    ("Bake bread", "Assar pão"),
    ("Call grandmother", "Ligar para a avó"),
    ("Pay the rent", "Pagar o aluguel"),
    ("Water the plants", "Regar as plantas"),
    ("Repair the bicycle", "Consertar a bicicleta"),
    ("Read a chapter", "Ler um capítulo"),
    ("Run five kilometres", "Correr cinco quilômetros"),
    ("Write to the landlord", "Escrever para o proprietário"),
    ("Clean the oven", "Limpar o forno"),
    ("Sort the photos", "Organizar as fotos"),
    ("Buy a birthday present", "Comprar um presente de aniversário"),
    ("Book the dentist", "Marcar o dentista"),
    ("Practise the guitar", "Praticar violão"),
    ("Back up the laptop", "Fazer cópia do notebook"),
    ("Plant tomatoes", "Plantar tomates"),
    ("Learn ten words of Japanese", "Aprender dez palavras de japonês"),
    ("Cook for friends", "Cozinhar para amigos"),
)
BIOS: tuple[Words, ...] = (
    ("Bakes on Sundays.", "Faz pão aos domingos."),
    ("Runs, slowly.", "Corre, devagar."),
    ("Teacher.", "Dá aulas."),
    ("Fixes old radios.", "Conserta rádios antigos."),
    ("Plants everywhere.", "Plantas por toda parte."),
)
REMARKS: tuple[Words, ...] = (
    ("What a day.", "Que dia."),
    ("Anyone for a walk on Sunday?", "Alguém para uma caminhada no domingo?"),
    ("The new bakery is worth the queue.", "A padaria nova vale a fila."),
    ("Three things done before breakfast.", "Três coisas feitas antes do café."),
    ("Rain again. Good for the plants.", "Chuva de novo. Bom para as plantas."),
    ("Finally slept eight hours.", "Enfim dormi oito horas."),
    ("Which book should I read next?", "Que livro leio agora?"),
    ("Small steps.", "Um passo de cada vez."),
)
ANSWERS: tuple[Words, ...] = (
    ("Well done!", "Muito bem!"),
    ("Same here.", "Aqui também."),
    ("I am in.", "Eu topo."),
    ("Tell us more!", "Conta mais!"),
    ("So good.", "Que bom."),
    ("How long did it take?", "Quanto tempo levou?"),
)
