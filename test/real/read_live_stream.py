"""Reads the live stream as the service documents it, for python-compat.test.ts.

Prints, for each message, one JSON array of two lines: the documented format and that of the newer client. A withdrawal has
no prefixes in them: no source says under which key they come.

    read_live_stream.py WEBSOCKET_URL LIVE_MANAGER_URL PREFIXES COUNT
"""

import json
import os
import sys

import colorama
import requests
import websocket


def speaker(text):
    asn, _, address = text.partition("_")
    return int(asn), address


def lines(message):
    timestamp = int(message["sec"]) + int(message.get("Usec", 0)) / 1e6
    parent_asn, parent_ip = "", ""
    if message["record_type"] == "bmp_update":
        protocol = "bmp"
        asn, address = speaker(message["bmp_peer"])
        parent_asn, parent_ip = speaker(message["vp"])
    else:
        protocol = "bgp"
        asn, address = speaker(message["vp"])
    announced = "prefixes" in message
    prefixes = message["prefixes"].split(",") if announced else []
    said = [message.get(key, "") if announced else "" for key in ("as-path", "communities", "origin", "nexthop")]
    kind = "U" if announced else "W"
    about = [",".join(prefixes), *said]
    old = [timestamp, kind, asn, address, *about]
    new = [timestamp, kind, protocol, asn, address, parent_asn, parent_ip, *about]
    return ["|".join(str(field) for field in fields) for fields in (old, new)]


def main():
    websocket_url, live_manager_url, prefixes, count = sys.argv[1:]
    key = os.environ["BGP_API_KEY"]
    answer = requests.get(
        f"{live_manager_url}/update_live_prefixes", params={"api_key": key, "new_pfxs": prefixes}, timeout=10
    )
    if answer.status_code != 200:
        sys.exit(colorama.Fore.RED + answer.text + colorama.Style.RESET_ALL)
    connection = websocket.create_connection(f"{websocket_url}/?api_key={key}", timeout=30)
    try:
        for _ in range(int(count)):
            message = json.loads(connection.recv())
            if "error" in message:
                sys.exit(colorama.Fore.RED + message["error"] + colorama.Style.RESET_ALL)
            print(json.dumps(lines(message)), flush=True)
    finally:
        connection.close()


main()
