"""Given names and the ways in which they are written and heard.

One family a line; what stands on one line sounds alike or is the same name respelt. A name may stand on several
lines. Names that are different names to a coach stand apart, also when they look alike: that is what keeps
Shane from Seán.
"""

SPELLINGS = """
aoife eefa efa ifa aoifa eefah eifa eva
eva eve ava
eabha ava ayva eva eyva eabhe
ava avah
niamh neve nieve neeve neave neev niav neamh nia niam neive nev
saoirse sersha seersha sirsha searsha sorsha saorise seirsha saersha
sorcha surcha sorca sorka suraha soraka sorsha
caoimhe keeva queeva kweeva keva kiva quiva kweva keevah coimhe kee
siobhan shivawn shivaun shivon shivonne chevonne shavon shavonne shevaun siobahn shevawn siobhain shuvawn
sinead shinade shinaid sinaid shanade shineade
sadhbh sive sigh sadbh syve saive sadhb sieve
roisin rosheen roshin roisheen rosaleen raisin
grainne gronya grania grawnya granya gronia grawnia
ciara keira kiera keera kira kiara keara
aisling ashling aishling ashlin ashlynn aislinn ashleen ashlyn aislin
aine awnya anya onya enya anja oinya
orla orlagh orlaith orlah
laoise leesha lisha leesh laoisha
naoise neesha nisha neisha nysha
meabh maeve mave maebh meadhbh maev
fiadh fia feea fya fiah
eimear emer eemer eimhear emir emear ema
cliodhna cliona cleena kleena cleona clionadh
caitriona catriona katrina catrina katriona caitrina
fionnuala finnuala finola finoola fionnula finula nuala
deirdre deidre deedra derdra
dearbhla dervla derbhla durvla dervila dearbhaile
doireann dirren derren dorian durrin dorren doirin
muireann mwirin mirren murrin moirin murin
bebhinn bevin bevan beveen beibhinn
blathnaid blanid blawnid blathnad blanaid
brid breed breege bride brighid brighde bridh
brona bronagh bronach
ailbhe alva elva alvah alby
eilis eilish ailish elish aylish
sile sheila sheelagh shelagh
una oonagh oona
riona reena rionagh
etain aideen etaoin
roise rosha
niall nile neil neill nial
eoin owen eoghan owin eoghain eoan owain
tadhg tige teigue tyge taig tiger tadgh ty tighe teague tyg taidhg
oisin usheen osheen ocean ushin oshin ossian
cillian killian kilian cilian
cian kian keane kean keen keean
ciaran kieran keeran kieron keiran ciaron kiaran
diarmuid dermot deermid dermid diarmaid dermott jeremid
cathal cahal kahal cawhal cathall cahill cahel
padraig padraic paudric pawdrig podrig porrick pawrick padhraig poric pawdrick
ruairi rory ruari ruaidhri roory rurai ruaridh
sean shawn shaun shaughan
shane
shauna seana shawna
darragh dara daragh darra darrow daire darach
donnacha donncha donica donagh dunica donaka donnchadh dunnaca
conor connor conner conchobhar konor
cormac cormack kormac
fionn finn fion fyon fiann fin
fiachra feekra fiacra feakra feecra
finbarr finbar fionnbharr
lorcan lorkin lorken larkin lorcain
micheal meehall mehall meehawl mihall meehaul mihal michael
michael mikael mikhail
odhran oran odran orran oren oron
rian ryan reen reean rhian
ryan
seamus shaymus shamus seamas sheamus
tomas tomaws tumawse tomos
thomas
caolan keelan kaylan kalen kaelan kealan kelan
aodhan aidan aiden aydan adon aedan eidan
aodh hugh ay ee
gearoid garode garrod gerode garoad
iarla earla eerla
eanna ayna enna
daithi dahy dawhee dahee dahi dathi
colm collum colum column columb
callum calum
fergal fearghal fergle feargal
fergus feargus
enda ayda
eamon eamonn aymon emon
turlough toirdhealbhach turlock
ultan ultin
senan
oscar
declan deklan deaglan deglan deglawn
ronan ronin
brendan brendon
brian bryan brien
kevin caoimhin kevan
martin mairtin martyn
patrick
peadar padder
pol paul
liam leeam
luke luc
luka luca
mark marc
john jon
sarah sara
hannah hanna hana
anna ana
laura lora
lucy lucie
ella ela
emma ema
emily
grace
kate cate
katie katy
amy aimee
chloe cloe khloe clowy
zoe zowie zoey
katherine catherine kathryn
kathleen caitlin cathleen
maria
mary maire
ellen
rachel rachael
rebecca rebekah
isabel isabelle isobel
louise
lauren
gerard ger
james
jack jak
jake
adam addam
matthew mathew
mateusz mateush matteus
dylan dillon
colin
david
william
lukasz lukash lucas lukas
jose hosay josay
tobi toby tobey
soren soeren
bjorn bjoern byorn
jurgen juergen yurgen
andrei andrey andre
agnieszka agnieska agnyeshka
oleksandr alexander aleksandr
neasa nessa nassa
giulia julia
joao jwow
tj teejay
jj jayjay
pj peejay
aj ayjay
cj ceejay seejay
dj deejay
mj emjay
nora norah
leah lea
tina
joan
simon
oliver
nathan
nathaniel
aaron
jordan
shannon
rosie
holly
alexandra aleksandra oleksandra
alison allison
amelia emelia
andrew
anne
anthony antony
barry
beatrice
benjamin
bernard
bridget bridgid
charlie charley
charlotte
christine kristine
christopher
claire clare clair
cornelius
damien damian
daniel
denis dennis
donal donall
edward
eleanor elinor
elizabeth elisabeth
ethan
evan
fiona
frances
francis
freya freyja
george
hazel
henry
harry
isla eyela
jane jayne
jason
jennifer
jessica
jonathan
joseph
julie
karen
keith
kyle
leo
lily lilly
lisa
margaret
marie
megan meghan
mia
molly mollie
natalie
nicholas nicolas
nicole nichole
noah
noel
olivia
orlaith orla orlagh
paula
peter
philip phillip
robert
robyn robin
ross
ruth
samantha
samuel
sophia sofia
sophie sofie
stephen steven stephan
susan
tara
teresa theresa
timothy
victoria
vincent
chukwuemeka
aoibheann eveen aveen eevan aoibhinn aoibhin eevin
siofra sheefra shifra sheafra
mairead maraid mawrade moraid mairaid
eithne ethna enya etna ehna
liadan leeadan leedan
siomha sheeva shiva sheema
croia kreea creea
treasa trassa
reiltin raylteen reltin
conall connell connal
fionntan fintan fiontan finton
ruadhan rowan ruan rooawn
tiarnan tiernan teernan tiarnawn
muiris muirish murris
proinsias pronshus pronsheeas
reamonn raymon raymond redmond
colman coleman
manus mawnus
cathaoir cahir kaheer
"""

# Names that are only ever themselves here: they are listed so that Colleen is not heard as Colin.
OTHERS = """
abigail agnes alan albert alice alma amanda amber amelie angela angus ann antonia april arthur astrid audrey
austin ayesha barbara bella ben betty bill blake bobby bonnie brad bradley brooke bruce bryce calvin cameron carl
carla carmel carol caroline cecilia celine chelsea cheryl clara clive clodagh cody colette colleen connie corey
craig dana danielle darren dave dawn dean debbie delia derek desmond diana dolores dominic donna dora doreen
douglas duncan edith edwin eileen elaine elena elias elliot elsa elsie emilia emmet erica erik erin
ernest esther eunice evelyn faith fabian faye felix fidelma finley flora florence frank fred frieda gabriel gail
gareth gary gavin gemma geoffrey georgia georgina gina glen gloria gordon graham grant gregory greta gwen harvey
heather heidi helen helena henrik hilary hilda howard ian imelda imogen ingrid irene iris isaac ivan ivy jackson
jacqueline jacob janet janice jared jasmine jeanette jeff jeremy jerome jill joanna joanne jodie joel jonas josh
joshua joyce judith julian julianna justin kara karl kay kelvin ken kenneth kent kerry kim kirsten kirsty
lana lance larry laurence leigh lena leon leonard leslie lewis lillian linda lionel logan lorna lorraine louis lydia
lynn mabel madison magdalena malachy marcus margot marian marianne marina mario marion marisa marta martha mateo
matilda maura maureen maurice max maya melanie melissa mildred miriam mohammed mona monica morgan muriel myra nadia
nancy naomi nelson nina norma norman pamela patricia pauline pearl penny phoebe phyllis poppy
rafael ralph reece regina renee rhys richard rita rodney roger roland rona ronald rosa rosalind
rosanna rose rosemary roxanne roy ruby rufus rupert russell sabrina sally sandra sasha scott sebastian
sharon shay shirley sian sidney silvia sonia stanley stella stuart sylvia tanya tania ted terence terry
theo theodore tracey trevor tristan troy ursula valerie vanessa vera veronica vivian wayne wendy wesley wilma
xavier yasmin yolanda yvonne zach zachary zara
"""

# Short forms, and the names they may stand for.
NICKNAMES = """
kev: kevin
jim jimmy jamesie jamie: james
paddy pat podge: patrick padraig
mick mike mikey mickey: michael micheal
john jonny johnny: jonathan john
tom tommy: thomas tomas
matt matty: matthew
will bill billy willie liam: william
dave davy davey: david
ger gerry jerry: gerard gearoid
ed eddie ned: edward eamon
tony: anthony
ben benny: benjamin
sam: samuel samantha
dan danny: daniel
joe joey: joseph
nick: nicholas
alex sasha: alexander oleksandr alexandra
rob bob bobby robbie: robert
chris: christopher christine
steve stevie: stephen steven
con: cornelius conor
mags maggie peg peggy: margaret
kate katie kathy kay kit kitty: katherine kathleen
kate: katie
liz lizzie beth betty: elizabeth
biddy bridie: bridget brid
bec becky: rebecca
rach: rachel
annie: anna anne
ellie nell nelly: ellen eleanor ella
gracie: grace
jess: jessica
soph: sophie sophia
siob: siobhan
fi: fionnuala fiona
tim: timothy tadhg
ro: roisin
emeka: chukwuemeka
"""
