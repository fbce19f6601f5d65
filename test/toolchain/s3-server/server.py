"""Starts moto's server, with its own arguments, so that it says 100 Continue once.

Python's http.server and Werkzeug both answer `Expect: 100-continue`; the second 100 is taken for the answer to the whole
request by clients that are strict, as AWS's asynchronous client for Java, by which Hadoop uploads files.
"""

from moto.server import main
from werkzeug.serving import WSGIRequestHandler

WSGIRequestHandler.handle_expect_100 = lambda self: True

main()
