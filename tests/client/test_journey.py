"""The commands as programs, one after the other, as a person uses them."""

import json

from tests.terminals import PASSWORD


def test_a_day_of_a_person(newcomer, tmp_path):
    def run(*arguments: str, stdin: str = "") -> tuple[str, str]:
        result = newcomer.run(*arguments, stdin=stdin)
        assert result.returncode == 0, result.stderr
        return result.stdout, result.stderr

    _, said = run("login", newcomer.url, "-u", newcomer.username, stdin=f"{PASSWORD}\n")
    assert said == f"Logged in to {newcomer.url} as {newcomer.username}.\n"
    assert run("add", "Comprar pão @mercado")[0].endswith("\tmercado\tComprar pão\n")
    file = tmp_path / "todos.csv"
    file.write_text("title\nPão\n")
    assert "Imported 1 todo." in run("import", str(file))[1]
    [todo] = json.loads(run("list", "-p", "none", "not label:mercado", "--json")[0])
    number = str(todo["id"])
    assert "Changed: " in run("edit", number, "--priority", "high")[1]
    assert run("done", number)[1] == f"Done: {number} Pão\n"
    assert run("undo")[1] == "Undone: 1 change.\n"
    assert run("list", "priority:high")[0] == f"{number}\ttodo\thigh\t\t\t\tPão\n"
    assert run("show", number)[0].endswith("title: Pão\n")
    exported, said = run("export")
    assert [one["title"] for one in json.loads(exported)["todos"]] == ["Comprar pão", "Pão"]
    assert said == ""
    assert "in the trash" in run("delete", number)[1]
    assert run("logout")[1] == "Logged out. The token is revoked.\n"
