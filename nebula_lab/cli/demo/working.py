"""Steps that have the samples work on real input, each held against a second way to the result."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from statistics import fmean

from nebula_lab.cli.demo.material import cars, data_set, images, package_descriptions, png_size
from nebula_lab.cli.demo.stage import Stage

_SIDE = 64  # of a thumbnail, in pixels
_QUERY = "kernel"
_SQL = """
    SELECT Origin AS origin, count(*) AS cars, avg(Horsepower) AS power
    FROM cars GROUP BY Origin ORDER BY Origin
"""


def query_cars(stage: Stage) -> None:
    """SQL over a data set; the database reports to the two plugins that it depends on."""
    rows = cars()
    database = stage.plugins["my_custom_resource"]
    count = database.insert(table="cars", rows=rows)
    stage.expect(count == len(rows), f"{count} rows of the data set cars are in the database")
    power: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row["Horsepower"] is not None:
            power[row["Origin"]].append(row["Horsepower"])
    answer = database.query(sql=_SQL)
    for row in answer:
        stage.say(f"{row['origin']:>6}: {row['cars']:3} cars, {row['power']:.1f} horsepower")
    right = {row["origin"]: round(row["power"], 6) for row in answer} == {
        origin: round(fmean(values), 6) for origin, values in power.items()
    }
    stage.expect(right, "SQL gives the averages that Python computes")
    kept = stage.plugins["base_resource"].get(key="my_custom_resource/cars")
    stage.expect(kept == {"rows": len(rows)}, "it told base_resource, which it depends on")
    line = stage.plugins["logger"].tail(count=1, source="my_custom_resource")[0]
    stage.expect(line["message"] == f"inserted {len(rows)} rows", "it wrote to the logger too")


def profile_weather(stage: Stage) -> None:
    """Profile a data set of a well-known package."""
    profile = stage.plugins["data_profiler"].profile(source="seattle-weather")
    with data_set("seattle-weather").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for column in profile["columns"]:
        top = ", ".join(f"{value} ({count})" for value, count in column["top"])
        stage.say(f"{column['name']:>14} {column['type']:<10} {column['distinct']:5} values: {top}")
    names = [column["name"] for column in profile["columns"]]
    stage.expect(
        (profile["rows"], names) == (len(rows), list(rows[0])),
        f"all {len(rows)} days and {len(names)} columns of seattle-weather were profiled",
    )
    highest = max(float(row["temp_max"]) for row in rows)
    temperature = next(c for c in profile["columns"] if c["name"] == "temp_max")
    stage.expect(
        temperature["quantiles"]["max"] == highest, f"the hottest day had {highest} degrees"
    )


def search_texts(stage: Stage) -> None:
    """Index and search texts; the hits come as a stream."""
    texts = package_descriptions()
    index = stage.plugins["search_index"]
    stage.expect(index.add(texts=texts) == len(texts), f"{len(texts)} package READMEs are indexed")
    hits = list(index.search(query=_QUERY, limit=1000))
    for hit in hits[:3]:
        stage.say(f"{hit['score']:7.3f}  {hit['id']}")
    scores = [hit["score"] for hit in hits]
    stage.expect(
        len(hits) > 0 and scores == sorted(scores, reverse=True),
        f"{len(hits)} of them speak of a {_QUERY}, the best first",
    )
    spoken = {name for name, text in texts.items() if _QUERY in text.casefold()}
    stage.expect({hit["id"] for hit in hits} <= spoken, "each hit has the word in it")


def make_thumbnails(stage: Stage) -> None:
    """Bytes in, bytes out."""
    originals = images()
    thumbnailer = stage.plugins.map(
        "thumbnailer",
        "thumbnail",
        ({"image": image, "width": _SIDE, "height": _SIDE} for image in originals.values()),
    )
    fits = []
    for (name, image), small in zip(originals.items(), thumbnailer, strict=True):
        width, height = png_size(image)
        size = png_size(small["image"])
        scale = min(1.0, _SIDE / width, _SIDE / height)
        fits.append(abs(size[0] - width * scale) < 1 and abs(size[1] - height * scale) < 1)
        stage.say(
            f"{name}: {width} × {height} in {len(image):,} bytes → "
            f"{size[0]} × {size[1]} in {len(small['image']):,} bytes"
        )
    stage.expect(
        bool(fits) and all(fits), f"{len(fits)} images fit into {_SIDE} × {_SIDE}, undistorted"
    )


def greet_and_fetch(stage: Stage) -> None:
    """A plugin without a base class, and one whose operations are async."""
    answer = stage.plugins.execute("greeter", "greet", {"input": "hello"})
    stage.expect(answer == {"output": "hello world"}, "the bare plugin greets")
    files = [data_set("cars"), data_set("seattle-weather")]
    pages = stage.plugins["fetcher"].check(urls=[file.as_uri() for file in files])
    sizes = {page["url"]: page["size"] for page in pages}
    stage.expect(
        sizes == {file.as_uri(): file.stat().st_size for file in files},
        f"{len(sizes)} files were fetched side by side: {json.dumps(sorted(sizes.values()))} bytes",
    )
