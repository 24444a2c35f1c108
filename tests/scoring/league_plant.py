"""Four kilns on two sites: two held against one benchmark, one against another, one that makes lime as well."""

LINE = {name: f"acme/{name[0]}/pyro/{name}" for name in ("a1", "a2", "b1", "b2")}


def _benchmark(id_: str, value: str) -> str:
    said = 'basis = "gross"\npower = false\nboundary = "stage"\nunit = "t CO2/t"\nsource = "test"'
    return f'[[benchmark]]\nid = "{id_}"\nproduct = "clinker"\nvalue = {value}\n{said}\n'


def _kiln(name: str) -> str:
    benchmark = "loose" if name == "b1" else "strict"
    more = 'lime = { unit = "t", kind = "counter", counts = "product:lime" }\n' if name == "b2" else ""
    return f"""
[line.{name}]
site = "{name[0]}"
area = "pyro"
lcd = {{ basis = "gross", power = false, benchmark = "{benchmark}" }}
[meter.m-{name}]
line = "{name}"
every = "1min"
[meter.m-{name}.channels]
clinker = {{ unit = "t", kind = "counter", counts = "product:clinker" }}
meal = {{ unit = "t", kind = "counter", counts = "material:meal" }}
coal = {{ unit = "t", kind = "counter", counts = "fuel:coal" }}
kwh = {{ unit = "kWh", kind = "counter", counts = "electricity" }}
{more}"""


REGISTRY = "\n".join(
    [
        "schema = 1",
        *(f'[site.{site}]\nenterprise = "acme"\ntimezone = "UTC"' for site in "ab"),
        '[fuel.coal]\nncv = "25.8 GJ/t"\nef = "94.6 kg/GJ"',
        _benchmark("strict", "0.69"),
        _benchmark("loose", "0.8"),
        *map(_kiln, LINE),
    ]
)
