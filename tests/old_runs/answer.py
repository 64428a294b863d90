# python3 uses.py WEFT FOLDER: what WEFT answers to the commands of FOLDER/uses.json becomes their answers.
import json, os, subprocess, sys
weft, folder = sys.argv[1:]
path = f"{folder}/uses.json"
uses = json.load(open(path))
env = dict(os.environ, WEFT_DATA=f"{folder}/data")
for use in uses:
    words = [w.replace("RUN", f"{folder}/finished").replace("DATA", f"{folder}/data") for w in use["command"]]
    out = subprocess.run([weft, *words], env=env, check=True, capture_output=True, text=True).stdout
    use["answer"] = json.loads(out.replace(f"{folder}/finished", "RUN").replace(f"{folder}/data", "DATA"))
open(path, "w").write("[\n" + ",\n".join(json.dumps(use, ensure_ascii=False) for use in uses) + "\n]\n")
