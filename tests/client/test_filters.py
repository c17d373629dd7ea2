"""`fast-zero list FILTER`, with the language of filters."""


def titles(person, *arguments: str) -> list[str]:
    return [line.split("\t")[-1] for line in person.ok("list", *arguments).splitlines()]


def test_a_filter_selects_open_todos(person):
    person.create(title="Bake", labels=["oven"], priority="high")
    person.create(title="Knead", labels=["oven"])
    person.create(title="Over", labels=["oven"], state="done")

    result = person.call("list", "label:oven and priority:high")
    assert (result.returncode, result.stdout.rstrip().split("\t")[-1]) == (0, "Bake")
    assert titles(person, "etiqueta:oven") == ["Bake", "Knead"]
    assert titles(person, "label:oven", "--all", "--sort", "title") == ["Bake", "Knead", "Over"]


def test_a_caret_points_at_the_mistake(person):
    wanted = "label:oven and and"
    result = person.call("list", wanted)

    assert result.returncode == 1
    sentence, shown, caret = result.stderr.splitlines()
    assert sentence.startswith("error: ")
    assert (shown.strip(), caret.strip()) == (wanted, "^")
    assert f"olumn {caret.index('^') - 1}" in sentence


def test_a_saved_filter_is_found_by_its_name_and_brings_its_sort(person):
    person.create(title="Apple", labels=["x"])
    person.create(title="Bread", labels=["x"])
    person.create(title="Cake")
    with person.http() as http:
        new = {"name": "Mine", "filter": "label:x", "sort": "-title"}
        saved = http.post("/filters", json=new).raise_for_status().json()

    assert titles(person, "--saved", "mine") == ["Bread", "Apple"]
    assert titles(person, "--saved", str(saved["id"]), "--sort", "title") == ["Apple", "Bread"]
    missing = person.call("list", "--saved", "yours")
    assert (missing.returncode, missing.stderr) == (1, "error: There is no filter yours.\n")
