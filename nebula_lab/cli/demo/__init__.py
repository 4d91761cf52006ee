"""The main job on the sample plugins, headless: `python -m nebula_lab.cli.demo DIR`.

Each step says what it does, does it, and checks that it came out as it says.
"""
