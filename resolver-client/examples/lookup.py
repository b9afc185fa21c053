"""Looks devices up from Python, in several threads on one handle.
    python3 lookup.py FEDERATION URL ADDRESS CA CHAIN KEY DEVEUI..."""
import concurrent.futures
import ctypes
import sys

lib = ctypes.CDLL("libfedroam.so.0")
Text, Handle = ctypes.c_char_p, ctypes.c_void_p
for name, result, *arguments in (
        ("options_new", Handle),
        ("options_free", None, Handle),
        ("options_error", Text, Handle),
        ("options_add_federation", ctypes.c_int, Handle, Text, Text, Text, Text),
        ("options_add_broker", ctypes.c_int, Handle, Text, Text, ctypes.POINTER(Text), ctypes.c_size_t),
        ("new", ctypes.c_int, Handle, ctypes.POINTER(Handle)),
        ("free", None, Handle),
        ("wait_device", ctypes.c_int, Handle, Text, ctypes.c_uint64, ctypes.c_uint32, ctypes.POINTER(Handle)),
        ("answer_result", ctypes.c_int, Handle),
        ("answer_netid", ctypes.c_uint32, Handle),
        ("answer_endpoint_text", Text, Handle, ctypes.c_size_t),
        ("answer_reason", Text, Handle),
        ("answer_free", None, Handle)):
    function = getattr(lib, "fedroam_" + name)
    function.restype, function.argtypes = result, arguments


def connect(federation, url, address, ca, chain, key):
    options, handle = lib.fedroam_options_new(), Handle()
    try:
        if lib.fedroam_options_add_federation(options, federation, ca, chain, key) \
                or lib.fedroam_options_add_broker(options, federation, url, (Text * 1)(address), 1) \
                or lib.fedroam_new(options, ctypes.byref(handle)):
            raise SystemExit(lib.fedroam_options_error(options).decode())
    finally:
        lib.fedroam_options_free(options)
    return handle


def look_up(handle, deveui):
    answer = Handle()
    if lib.fedroam_wait_device(handle, None, int(deveui, 16), 0, ctypes.byref(answer)):
        return f"{deveui} failed"
    try:
        if lib.fedroam_answer_result(answer) != 0:  # FEDROAM_FOUND
            return f"{deveui} not found {lib.fedroam_answer_reason(answer).decode()}".strip()
        where = lib.fedroam_answer_endpoint_text(answer, 0).decode()
        return f"{deveui} {lib.fedroam_answer_netid(answer):06x} {where}"
    finally:
        lib.fedroam_answer_free(answer)


fedroam = connect(*(argument.encode() for argument in sys.argv[1:7]))
with concurrent.futures.ThreadPoolExecutor() as threads:
    for line in threads.map(lambda deveui: look_up(fedroam, deveui), sys.argv[7:]):
        print(line)
lib.fedroam_free(fedroam)
