"""Surnames that are common in Ireland, so that two real names which merely look alike are not taken for one.

One name a line with its spellings; Ó and Mac are joined as `normalise` joins them.
"""

SPELLINGS = """
adams addams
ahern aherne ahearne
barnes
barrett
barry barrie
begley
behan
bergin
boland bowland
bolger
bourke burke burk deburca
boyce
boyd
boylan
boyle oboyle
brady
breen
brennan brennen brannan
breslin
brien obrien obrian obryan
browne brown
bryan bryant
buckley
burns byrnes
butler
byrne obyrne burn byrnes
cahill
callaghan ocallaghan callahan ocallahan
campbell
canavan
carey
carr
carroll ocarroll carrol
casey
cassidy
clancy
clarke clark
clery cleary
coffey
colgan
collins
conlon
connell oconnell conaill oconaill connel
connolly connelly conolly
connor oconnor connors conor oconor conchuir oconchuir
conroy
conway
corcoran
corrigan
costello
coughlan
cox
coyle
coyne
crowley
cronin
cullen
cummins cummings
cunningham
curran
curry
curtis
cusack
dalton
daly daley odaly
davey
delaney
dempsey
devine
devlin
dillon
doherty odoherty dougherty docherty dockerty
dolan
donnelly
donoghue odonoghue
donovan odonovan
dooley
doolan
dowd odowd
dowling
doyle
driscoll odriscoll
duffy
dugan dougan
dunne dunn
dunphy
dwyer odwyer
egan eagan
fagan
fahy fahey
fallon
farrell ofarrell ferrell
farrelly
feeney
finn
finnegan
fitzgerald
fitzpatrick
fitzsimons
flaherty oflaherty
flanagan
fleming
flood
flynn oflynn flinn
fogarty
foley
foran
forde ford
fox
gaffney
gallagher ogallagher gallaher
galvin
garvey
geraghty
gibbons
gilligan
glynn
gorman ogorman
grady ogrady
graham
greene green
griffin
guinan
hackett
halpin
hanley
hanlon ohanlon
hannon
hanrahan
harrington
ohea hea
hart
hayes hays
hayden
healy healey
heaney
heffernan
hegarty
hennessy
hickey
higgins ohiggins
hogan
horan
horgan
hughes hewes
hurley
hynes
jordan
joyce
kane okane keane
kavanagh cavanagh
keane keen keene
kearney
keating
keegan
keenan
kelleher kelliher keleher
kelly okelly kelley
kenneally
kennedy
kenny
keogh kehoe
kerr
kiely keely kielly
kiernan
kilbride
king
kinsella
lacey
larkin
lawlor
leahy
leary oleary
lee
lennon
leonard
loughran
lynch linch
lyons lyon
madden
magee
maguire mcguire
maher meagher
mahony omahony mahoney
malley omalley
malone
mangan
mannion
martin martyn
mccabe
mccann
mccarthy mccarty carthy carty
mcconnell
mccormack
mcdermott mcdermot
mcdonagh
mcdonald
mcdonnell
mcevoy
mcgee
mcginley
mcgovern
mcgowan
mcgrath mcgraw magrath
mchugh
mckenna
mcloughlin mclaughlin
mcmahon
mcmanus
mcnally
mcnamara
mcnamee
mcnulty
meehan
milligan
molloy malloy
moloney maloney
monaghan
mooney
moore
moran
morgan
moriarty
morris
morrison
morrissey
mulcahy
muldoon
mullally mulally
mullen mullan mullins
mulligan
mulvey
murphy omurchu
murray
murtagh
nagle
nash
naughton
neary
neill oneill neil oneil neal oneal
nolan nowlan onolan
noonan
norris
nugent
ohara
okeeffe okeefe keeffe keefe
orourke rourke
osullivan sullivan osuilleabhain suilleabhain
oshea shea
oregan regan
oreilly reilly riley
otoole toole
phelan
plunkett
powell
power powers
purcell
quigley
quinlan
quinn quin
quirke
rafferty
redmond
reid reed
reidy
roberts
roche roach
rogers
rooney
ryan
sheehan sheahan
sheeran
sheehy
sheridan
shanahan
shannon
shaughnessy oshaughnessy
slattery
smith smyth
stack
staunton
sweeney
tiernan
tierney
tobin
tracey
treacy
twomey toomey
tuohy
wall
wallace
walsh walshe welsh
ward
weldon
whelan wheelan
white
woods
"""
