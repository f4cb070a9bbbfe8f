"""Which scripts a page names ahead: all that its first one imports, through others too, and none that come later."""

from __future__ import annotations

from pathlib import Path

from gm_service.routes.pages import MODULES, imported_by


def test_scripts_are_found_through_others_and_in_other_folders(tmp_path: Path) -> None:
    (tmp_path / "js").mkdir()
    (tmp_path / "vendor").mkdir()
    (tmp_path / "js" / "app.js").write_text('import { a } from "./a.js";\nconst later = () => import("./later.js");\n')
    (tmp_path / "js" / "a.js").write_text('export {\n  b,\n} from "../vendor/b.js";\n')
    (tmp_path / "vendor" / "b.js").write_text('import "./c.js";\n')
    (tmp_path / "vendor" / "c.js").write_text("")

    found = imported_by(tmp_path / "js" / "app.js")

    assert sorted(path.relative_to(tmp_path).as_posix() for path in found) == ["js/a.js", "vendor/b.js", "vendor/c.js"]


def test_the_task_centre_comes_first_and_other_pages_later() -> None:
    assert {"js/task_list.js", "js/preact.js"} <= set(MODULES)
    assert not {"js/export_page.js", "js/import_page.js", "js/task_page.js"} & set(MODULES)
