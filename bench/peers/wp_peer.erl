%% What waterpark's bench compares with: the same work as an Erlang programmer would do it. Five nodes; a process for
%% each patient on each of them, which keeps the patient's messages; who writes a patient counts the copies and answers
%% the client after three of five (its own and two more). What goes to another node is bundled: one process per peer
%% takes what there is in its mailbox and sends it as one list, entries and acknowledgements alike.
%%
%%   erl -name wp1@127.0.0.1 -run wp_peer start PORT wp1@127.0.0.1 wp2@127.0.0.1 ...
%%
%% A client's frame: length (32 bits), then messages: id (32), length of the key (8), key, length of the body (16),
%% body. The answer's frame: length (32), then the ids. The node listens once it is connected with all the others.
-module(wp_peer).
-export([start/1]).

-define(BUNDLE_MAX, 1024).
-define(COPIES_ELSEWHERE, 2).

start([Port | Names]) ->
    ets:new(patients, [named_table, public, set, {read_concurrency, true}, {write_concurrency, true}]),
    register(receiver, spawn(fun receiver/0)),
    Peers = [Node || Name <- Names, (Node = list_to_atom(Name)) =/= node()],
    [pong = meet(Peer, 100) || Peer <- Peers],
    Bundlers = [begin B = spawn(fun() -> bundler({receiver, Peer}) end), ets:insert(patients, {Peer, B}), B end || Peer <- Peers],
    Options = [binary, {packet, 4}, {active, false}, {nodelay, true}, {reuseaddr, true}, {ip, {127, 0, 0, 1}}],
    {ok, Listener} = gen_tcp:listen(list_to_integer(Port), Options),
    accept(Listener, Bundlers).

meet(Peer, Tries) ->
    case net_adm:ping(Peer) of
        pang when Tries > 0 -> timer:sleep(100), meet(Peer, Tries - 1);
        Answer -> Answer
    end.

accept(Listener, Bundlers) ->
    {ok, Socket} = gen_tcp:accept(Listener),
    Client = spawn(fun() -> receive go -> ok end, inet:setopts(Socket, [{active, true}]), client(Socket, Bundlers, []) end),
    ok = gen_tcp:controlling_process(Socket, Client),
    Client ! go,
    accept(Listener, Bundlers).

%% One process per client; what it has to answer goes out when its mailbox is empty.
client(Socket, Bundlers, Answers) ->
    receive
        {done, Id} -> client(Socket, Bundlers, [<<Id:32>> | Answers]);
        {tcp, Socket, Frame} -> take(Frame, Bundlers), client(Socket, Bundlers, Answers);
        {tcp_closed, Socket} -> ok
    after 0 ->
        case Answers of [] -> ok; _ -> ok = gen_tcp:send(Socket, Answers) end,
        receive
            {done, Id} -> client(Socket, Bundlers, [<<Id:32>>]);
            {tcp, Socket, Frame} -> take(Frame, Bundlers), client(Socket, Bundlers, []);
            {tcp_closed, Socket} -> ok
        end
    end.

take(<<Id:32, KeyLength, Key:KeyLength/binary, Length:16, Body:Length/binary, Rest/binary>>, Bundlers) ->
    patient(Key, Bundlers) ! {message, self(), Id, Body},
    take(Rest, Bundlers);
take(<<>>, _) -> ok.

patient(Key, Bundlers) ->
    case ets:lookup(patients, Key) of
        [{_, Pid}] -> Pid;
        [] ->
            %% the bytes of a key must not keep the frame that it came in
            Own = binary:copy(Key),
            Pid = spawn(fun() -> patient(Own, Bundlers, 0, [], #{}) end),
            case ets:insert_new(patients, {Own, Pid}) of
                true -> Pid;
                false -> exit(Pid, kill), ets:lookup_element(patients, Key, 2)
            end
    end.

%% A patient: writes here, or follows the one that writes elsewhere.
patient(Key, Bundlers, Seq, History, Open) ->
    receive
        {message, Client, Id, Body} ->
            Next = Seq + 1,
            [Bundler ! {entry, Key, Next, Body, self()} || Bundler <- Bundlers],
            patient(Key, Bundlers, Next, [Body | History], Open#{Next => {Client, Id, ?COPIES_ELSEWHERE}});
        {held, Held} ->
            case Open of
                #{Held := {Client, Id, 1}} ->
                    Client ! {done, Id},
                    patient(Key, Bundlers, Seq, History, maps:remove(Held, Open));
                #{Held := {Client, Id, Missing}} ->
                    patient(Key, Bundlers, Seq, History, Open#{Held := {Client, Id, Missing - 1}});
                _ -> patient(Key, Bundlers, Seq, History, Open)
            end;
        {entry, Next, Body, Writer, Bundler} when Next =:= Seq + 1 ->
            Bundler ! {held, Writer, Next},
            patient(Key, Bundlers, Next, [Body | History], Open)
    end.

%% Takes what there is, and sends it as one.
bundler(To) ->
    receive First -> bundler(To, [First], 1) end.

bundler(To, Bundle, Count) when Count >= ?BUNDLE_MAX -> To ! {bundle, node(), lists:reverse(Bundle)}, bundler(To);
bundler(To, Bundle, Count) ->
    receive Next -> bundler(To, [Next | Bundle], Count + 1)
    after 0 -> To ! {bundle, node(), lists:reverse(Bundle)}, bundler(To)
    end.

receiver() ->
    receive
        {bundle, From, Bundle} ->
            Bundler = ets:lookup_element(patients, From, 2),
            [hand(Each, Bundler) || Each <- Bundle],
            receiver()
    end.

hand({entry, Key, Seq, Body, Writer}, Bundler) -> patient(Key, []) ! {entry, Seq, Body, Writer, Bundler};
hand({held, Writer, Seq}, _) -> Writer ! {held, Seq}.
