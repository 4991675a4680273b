"""The pages that edit the settings of the portal.

Each section of a profile has one module here, which makes a form and a `Section` and adds it to the pages
(`section_page.add`). The module `sections` names them all.
"""

__all__: list[str] = []
