"""Folders of mail."""


def written(folder, **mails):
    for name, contents in mails.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number, content in enumerate(contents):
            (folder / name / f"{number}.txt").write_bytes(content)
    return folder
