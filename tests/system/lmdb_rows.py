"""Rows of a store, changed behind the programs' backs with liblmdb itself."""
import contextlib
import ctypes


class Val(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("data", ctypes.c_char_p)]


@contextlib.contextmanager
def opened(state, table):
    """The library's call by name (its code is returned), the transaction and the table; committed at the end."""
    lmdb = ctypes.CDLL("liblmdb.so.0")
    env, txn, dbi = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_uint()

    def must(name, *args):
        assert getattr(lmdb, name)(*args) == 0, name

    must("mdb_env_create", ctypes.byref(env))
    lmdb.mdb_env_set_maxdbs(env, 64)
    lmdb.mdb_env_set_mapsize(env, ctypes.c_size_t(1 << 40))
    must("mdb_env_open", env, str(state).encode(), 0, 0o600)
    must("mdb_txn_begin", env, None, 0, ctypes.byref(txn))
    must("mdb_dbi_open", txn, table.encode(), 0, ctypes.byref(dbi))
    yield lmdb, txn, dbi
    must("mdb_txn_commit", txn)
    lmdb.mdb_env_close(env)


def spoil(state, table, key):
    """Puts a row of one octet where there is one; whether there was."""
    there = Val()
    with opened(state, table) as (lmdb, txn, dbi):
        if lmdb.mdb_get(txn, dbi, ctypes.byref(Val(len(key), key)), ctypes.byref(there)) != 0:
            return False
        assert lmdb.mdb_put(txn, dbi, ctypes.byref(Val(len(key), key)), ctypes.byref(Val(1, b"?")), 0) == 0
        return True


def remove(state, table, key):
    with opened(state, table) as (lmdb, txn, dbi):
        assert lmdb.mdb_del(txn, dbi, ctypes.byref(Val(len(key), key)), None) == 0
