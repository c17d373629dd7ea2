"""The words of both languages, and the terminals of the grammar that each may be.

Keys are in lower case and without accents. Several values are tried in their order.
"""

import unicodedata
from collections.abc import Mapping

Candidate = tuple[str, str]
"""A terminal and the value of its token."""

ACCENTS = dict.fromkeys(range(768, 880))


def folded(text: str) -> str:
    """Return a text without regard to case and accents."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFD", text.lower()).translate(ACCENTS)


def words(*texts: str) -> frozenset[str]:
    return frozenset(" ".join(texts).split())


WEEKDAYS = (
    "monday mon segunda seg segunda-feira",
    "tuesday tue tues terca ter terca-feira",
    "wednesday wed quarta qua quarta-feira",
    "thursday thu thur thurs quinta qui quinta-feira",
    "friday fri sexta sex sexta-feira",
    "saturday sat sabado sab",
    "sunday sun domingo dom",
)
WEEKDAY_PLURALS = (
    "mondays segundas segundas-feiras",
    "tuesdays tercas tercas-feiras",
    "wednesdays quartas quartas-feiras",
    "thursdays quintas quintas-feiras",
    "fridays sextas sextas-feiras",
    "saturdays sabados",
    "sundays domingos",
)
MONTHS = (
    "january jan janeiro",
    "february feb fevereiro fev",
    "march mar marco",
    "april apr abril abr",
    "may mai maio",
    "june jun junho",
    "july jul julho",
    "august aug agosto ago",
    "september sep sept setembro set",
    "october oct outubro out",
    "november nov novembro",
    "december dec dezembro dez",
)
NUMBERS = {
    1: "one um uma",
    2: "two dois duas",
    3: "three tres",
    4: "four quatro",
    5: "five cinco",
    6: "six seis",
    7: "seven sete",
    8: "eight oito",
    9: "nine nove",
    10: "ten dez",
    11: "eleven onze",
    12: "twelve doze",
    15: "fifteen quinze",
    20: "twenty vinte",
    30: "thirty trinta",
}
ORDINALS = (
    "first primeiro primeira",
    "second segundo segunda",
    "third terceiro terceira",
    "fourth quarto quarta",
    "fifth quinto quinta",
    "sixth sexto sexta",
    "seventh setimo setima",
    "eighth oitavo oitava",
    "ninth nono nona",
    "tenth decimo decima",
)
ADVERBS = {
    "DAILY:1": "daily everyday nightly diariamente",
    "WEEKLY:1": "weekly semanalmente",
    "WEEKLY:2": "biweekly fortnightly quinzenalmente",
    "MONTHLY:1": "monthly mensalmente",
    "MONTHLY:2": "bimonthly bimestralmente",
    "MONTHLY:3": "quarterly trimestralmente",
    "MONTHLY:6": "semestralmente semiannually",
    "YEARLY:1": "yearly annually anualmente",
}
PARTS = {
    "morning": "morning manha manhazinha cedo",
    "afternoon": "afternoon tarde",
    "evening": "evening tardinha",
    "night": "night noite",
}
WORDS = {
    "EVERY": "every each todo toda todos todas cada",
    "OTHER": "other",
    "A": "a",
    "ONE": "a an um uma one",
    "ON": "on no na nos nas",
    "EM": "em",
    "IN": "in within",
    "AT": "at as à ao aos pelas @",
    "ART": "the o a os as",
    "BY": "by before",
    "UNTIL": "until till til through ate",
    "PARA": "para pra pro",
    "FOR": "for por durante pelos",
    "FROM": "from",
    "TO": "to",
    "DUE": "due vence vencendo vencimento",
    "DAQUI": "daqui",
    "DENTRO": "dentro",
    "STARTING": "starting starts beginning comecando iniciando",
    "PARTIR": "partir",
    "DE": "de",
    "DA": "da do das dos",
    "OF": "of",
    "AND": "and e &",
    "COMMA": ",",
    "DASH": "- \u2013",
    "SLASH": "/",
    "DAY": "day days dia dias",
    "WEEK": "week weeks wk wks semana semanas",
    "MONTH": "month months mes meses",
    "YEAR": "year years ano anos",
    "FEIRA": "feira feiras -feira -feiras",
    "BUSINESS": "weekday workday",
    "BUSINESS_PLURAL": "weekdays workdays",
    "UTIL": "util uteis",
    "WORKING": "business working work",
    "WEEKEND": "weekend wknd fds",
    "WEEKENDS": "weekends",
    "ENDS": "fins finais",
    "COUPLE": "couple",
    "PONTO": "ponto",
    "SHARP": "sharp",
    "END": "end fim final",
    "LAST": "last ultimo ultima ultimos ultimas",
    "SIM": "sim",
    "NAO": "nao",
    "TIMES": "times time vezes vez occurrences ocorrencias",
    "AFTER": "after apos depois",
    "FILLER": "it i its it's is being done having",
    "COMPLETION": "completion completing completed complete done finishing finished concluir "
    "conclusao concluida concluido concluido completar feito feita fazer terminar acabar",
    "TODAY": "today hoje hj",
    "TOMORROW": "tomorrow tmrw tmr tmw tomorow tommorow tom amanha amnh",
    "THIS": "this esta este nesta neste essa esse nessa nesse desta deste",
    "NEXT": "next proxima proximo proximas proximos prox",
    "COMING": "coming upcoming",
    "QUE": "que",
    "VEM": "vem",
    "NOW": "now agora",
    "AMPM": "am pm a.m p.m a.m. p.m.",
    "NOON": "noon midday meio-dia meiodia",
    "MIDNIGHT": "midnight meia-noite meianoite",
    "HALF": "half meia meio",
    "QUARTER": "quarter",
    "PAST": "past after",
    "OCLOCK": "o'clock oclock",
    "PELA": "pela",
    "TONIGHT": "tonight",
    "COM": "com with",
    "ME": "me",
    "REMIND": "remind reminder reminders lembrar lembre lembra lembrete lembre-me lembra-me avisar "
    "avise avisa avise-me avisa-me aviso alert alerta alertar notify notificar notifique alarm "
    "alarme",
    "BEFORE": "before antes earlier beforehand prior antecedencia",
}
VALUED: Mapping[str, Mapping[str, str]] = {
    "TIME_UNIT": {
        "1": "minute minutes min mins minuto minutos",
        "60": "hour hours hr hrs h hs hora horas",
    },
    "END_OF": {"day": "eod", "week": "eow", "month": "eom", "year": "eoy"},
    "ADVERB": ADVERBS,
    "CYCLE": {
        "WEEKLY:2": "fortnight quinzena",
        "MONTHLY:2": "bimestre",
        "MONTHLY:3": "trimestre",
        "MONTHLY:6": "semestre",
    },
    "PART": PARTS,
    "NUMBER": {str(number): words for number, words in NUMBERS.items()},
    "MONTH_NAME": {str(place): words for place, words in enumerate(MONTHS, 1)},
    # An ordinal is preferred where both are possible: "toda segunda terça do mês".
    "ORDINAL": {str(place): words for place, words in enumerate(ORDINALS, 1)},
    "WEEKDAY": {str(place): words for place, words in enumerate(WEEKDAYS)},
    "WEEKDAY_PLURAL": {str(place): words for place, words in enumerate(WEEKDAY_PLURALS)},
}


def collect() -> dict[str, tuple[Candidate, ...]]:
    found: dict[str, list[Candidate]] = {}
    entries = [
        *((name, None, words) for name, words in WORDS.items()),
        *((name, value, words) for name, table in VALUED.items() for value, words in table.items()),
    ]
    for terminal, value, words in entries:
        for word in words.split():
            found.setdefault(word, []).append((terminal, word if value is None else value))
    return {word: tuple(candidates) for word, candidates in found.items()}


CANDIDATES = collect()

PORTUGUESE_WORDS = words("sex ter dom out set ago dez seg qui qua as ate no na e do")
"""Words that mean something else, or nothing, in an English sentence."""

ORDINAL_WORDS = words("segunda terca quarta quinta sexta")
"""Weekdays that are ordinals, too: "segunda fase"."""

MONTH_WORDS = words("may mar march set out dez ago jan")
"""Months that are other words, too."""

SHORT_WORDS = words("sat sun wed sex dom")
"""Short names of weekdays that are other words, too."""

ENGLISH_WORDS = words("sat sun mon wed tom may second at by on")
"""Words that mean something else, or nothing, in a Portuguese sentence."""

HINTS: Mapping[str, frozenset[str]] = {
    "en": words(
        "the and of to with for my your his her our is are at on buy call pay send email meet "
        "meeting get every tomorrow today next week day days month hour minutes before after "
        "until from"
    ),
    "pt-BR": words(
        "o os um uma de da do das dos com para pra pro por meu minha seu sua no na nos nas em e "
        "ligar comprar pagar enviar mandar buscar ir fazer todo toda todos todas amanha hoje "
        "proxima semana dia dias mes hora minutos antes depois ate reuniao"
    ),
}
"""Words that tell the language of a sentence."""

FUNCTION_WORDS = words(
    "with to at in on for about from before after if when because so then by without re com para "
    "pra pro no na nos nas em as sobre antes depois se quando porque sem ao aos pelo pela that que"
)
"""What may follow a date in the middle of a sentence."""

DETERMINERS = words(
    "a an the this that these those some any my your his her our their its every each no o os "
    "as um uma uns umas este esta esse essa meu minha seu sua nosso nossa do da dos das de "
    "cada todo toda todos todas mais except exceto of and or e ou i he she we they"
)
"""What may not stand before a date: it is a noun, or a verb, then."""

NUMBERED = words(
    "chapter chapters part page pages pg episode ep season lesson step class room version "
    "section item unit exercise article verse volume vol number numero no nº n ticket issue "
    "bus gate platform apt apartment building floor flight route ratio scale size level grade "
    "capitulo cap parte pagina paginas episodio temporada licao aula etapa passo sala versao "
    "secao exercicio artigo versiculo onibus portao bloco andar voo rota tamanho nivel"
)
"""What is numbered: no number after it is a date or a time."""

VERBS = words(
    "call email mail text phone buy pay send meet visit pick get book order write read finish "
    "submit clean wash do make take bring go plan prepare review check schedule cancel renew "
    "return fix water walk feed study practice start update print sign ask tell give remind "
    "cook bake mow rake sweep vacuum paint pack move deliver drop pull post ship deploy test build "
    "install upgrade join attend watch see eat drink run swim ride drive fly travel wake rest "
    "play learn teach help talk invite host turn set put add remove change replace charge empty "
    "sort organize iron fold shop hang trim apply register submit collect record edit draft "
    "publish refill reply discuss"
)
"""English verbs that sentences begin with. Portuguese ones are known by their ending."""

RATIOS = words("ratio scale verse score versiculo placar proporcao")
"""What has two numbers with a colon between."""

ORDINALS_BEFORE = words("last first third ultima ultimo primeira primeiro terceira terceiro")
"""What makes a weekday one of several: the last Thursday."""

MEDIA_VERBS = words("watch see listen stream play ver assistir ouvir ler tocar")
"""What is done with a film, or a song: no capitalized word after it is a date."""

COMPOUNDS = words(
    "black good cyber ash palm easter fat giving super taco casual man girl ruby bloody "
    "freaky throwback"
)
"""What makes a weekday a name: Black Friday."""

TITLES = words("mr mrs ms miss sr sra dona")
DOTTED_TITLES = words("mr mrs ms dr dra sr sra prof profa")
"""What a name follows: Mrs. May. Without the point, `dr` may be a visit: "Dr friday 3pm"."""

STREETS = words("rua r avenida av praca travessa alameda viaduto ponte estacao")
"""What a day of history is the name of: Rua 25 de Março."""

TOPICS = words("about regarding with than if whether sobre com se")
"""What makes a day something that is talked about: "ask Ana if tomorrow works"."""

POSTPONING = words(
    "move change reschedule shift postpone push mudar remarcar mover adiar transferir reagendar"
)
"""What is done now, to something of another day: "move the call from Monday to Friday"."""

RANGES = words("a ate to until till - \u2013")
"""What is between the first and the last day of several."""

PERSON_VERBS = words("call email mail text phone ask tell meet message ping")
"""Verbs that a person follows: "Email Sat"."""

MEDIA = words(
    "film movie book song show album game play bar pub restaurant series band team filme "
    "livro musica disco jogo peca novela serie restaurante banda time grupo revista jornal"
)
"""What has a name: no capitalized word after it is a date."""

BOOKS = words(
    "genesis exodus leviticus numbers deuteronomy joshua judges ruth samuel kings chronicles "
    "ezra job psalm psalms proverbs isaiah jeremiah daniel matthew mark luke john acts romans "
    "corinthians galatians ephesians hebrews james peter revelation genese exodo levitico "
    "salmo salmos proverbios isaias mateus marcos lucas joao atos romanos corintios hebreus "
    "tiago pedro apocalipse"
)
READING = words("read study memorize ler estudar decorar leitura reading")
